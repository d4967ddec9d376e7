"""What is kept of a content beside its words: rows, drafts, sums to check against, and garbage."""
