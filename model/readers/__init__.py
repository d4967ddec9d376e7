"""Small readers whose weights ship in packages: vectors of texts, printed text, and speech."""
