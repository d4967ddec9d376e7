"""Files on the disk: the walk, what is excluded, hashes, room, locks, and replaced files."""
