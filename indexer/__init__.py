"""Files in, rows out: watches folders, reads what is in them, keeps the index true."""
