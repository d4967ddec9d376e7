"""The verbs of the command line; what they need is imported when one is called."""
