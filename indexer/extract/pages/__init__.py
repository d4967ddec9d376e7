"""Pages of documents: cut from blocks of text, laid out, and drawn as pictures."""
