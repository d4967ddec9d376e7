"""Text as it is stored and compared: its characters, its letters, and its tokens."""
