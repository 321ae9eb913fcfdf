"""From one manifest to the next: what changes in the database, what it costs, the revision that does it."""
