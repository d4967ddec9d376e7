"""From a file to words with their places: an extractor for each format, run in a child process."""
