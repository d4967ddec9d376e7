"""What the catalog writes down of the folders: files seen, moved, absent, and due for an audit."""
