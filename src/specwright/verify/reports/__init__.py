"""What was seen, for readers: a terminal, programs, test and code-scanning services, a browser."""
