"""The documentation, and the commands that write the parts of it that are made from the source."""
