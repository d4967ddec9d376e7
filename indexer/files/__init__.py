"""What lies on the disk, seen from outside: the walk, what is left out, room, locks, hashes."""
