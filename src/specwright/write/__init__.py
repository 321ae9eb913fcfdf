"""The manifest written out for people and other programs."""
