"""From the manifest to PostgreSQL: tables, predicates, statements."""
