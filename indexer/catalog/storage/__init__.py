"""The SQLite file itself: its tables and their versions, connections, faults, and what is whole."""
