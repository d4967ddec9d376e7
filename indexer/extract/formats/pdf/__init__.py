"""PDF: the words of its pages, which of them have to be looked at, and the files within."""
