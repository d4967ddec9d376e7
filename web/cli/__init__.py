"""The command line: light until a verb is called."""
