"""One extractor for each format of document, from the file to its numbered pages."""
