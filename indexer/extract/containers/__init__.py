"""The format of a file by its first bytes, and the directories of files that are containers."""
