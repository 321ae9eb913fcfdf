"""Proof: requests to a running app, judged by what the spec says. Never sees the code it judges."""
