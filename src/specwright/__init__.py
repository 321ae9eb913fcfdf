"""Specwright: a Markdown spec becomes a running backend, and the backend is proved."""

__version__ = "0.1.0"
