"""Where the words of a query stand in a passage, on a page and in a transcript."""
