"""What the throw-away database says: of plans, of schemas, of migrations."""
