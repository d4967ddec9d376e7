"""An answer with citations: its prompt, clips heard again, quotes that cannot be invented."""
