"""The catalogue: one check a module, each with its `CHECK`."""
