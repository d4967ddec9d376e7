"""From a file to words with their places: one extractor a format, run in a child that may die."""
