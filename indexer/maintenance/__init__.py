"""Proving that the index is whole, and making good what is not."""
