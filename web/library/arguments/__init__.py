"""What a person names in a command: a path, an example to search by, a file to forget."""
