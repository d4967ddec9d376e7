"""Pages of documents: cut from blocks of text, set in type, and drawn as pictures."""
