"""Finding what has changed: the system's events hint where to look, walks of the tree decide."""
