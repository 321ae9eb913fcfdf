"""Who is meant to be allowed what, and what they do to see whether they are."""
