"""What the requirements of a spec say, proved by their examples; and what else shows each."""
