"""PDF: the words of its pages, and which pages have to be looked at."""
