"""What a backend is: the manifest, the expression language and its interpreter. Standard library only."""
