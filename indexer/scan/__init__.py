"""Where something has changed: the system's events as a hint, the look at the tree as the truth."""
