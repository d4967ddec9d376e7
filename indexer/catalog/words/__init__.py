"""The words of every live passage in SQLite: written with its flip, searched, and their forms."""
