"""Reaching PostgreSQL: the embedded server, addresses, pools. Knows no statement."""
