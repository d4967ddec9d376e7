"""A model that another program serves, asked over OpenAI-style HTTP."""
