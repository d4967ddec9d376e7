"""A checkpoint on its way into memory: named, fetched, planned for, loaded, packed to 4 bits."""
