"""The two stages: what is read, and what the model understands, each published in one order."""
