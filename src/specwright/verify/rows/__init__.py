"""Rows made as clients make them, and bodies that are wrong on purpose."""
