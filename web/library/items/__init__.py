"""One item as a browser shows it, with the bytes of its attachments and its sound."""
