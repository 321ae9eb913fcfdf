"""The HTTP face: requests in, problems and JSON out."""
