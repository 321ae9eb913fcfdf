"""Specwright measured side by side with a bare application and with idiomatic code: `make bench`."""
