"""An answer from evidence: what the model writes, and whether its quotes prove it."""
