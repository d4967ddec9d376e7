"""What a file is, by its first bytes, and what lies in it where it is a container."""
