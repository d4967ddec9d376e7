"""The catalog, in SQLite: which files there are, what they are, and how far each has come."""
