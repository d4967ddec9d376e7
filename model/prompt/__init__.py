"""What the model is given: prompts as messages, as text, and as ids, patches and frames."""
