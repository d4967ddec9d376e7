"""A question in, hits and an answer with citations out."""
