"""How the demonstration model is made: its tokenizer, its architecture, its training, its files."""
