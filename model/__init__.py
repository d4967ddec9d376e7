"""Media in, vectors and words out. Knows no files and no tables."""
