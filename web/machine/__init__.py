"""This machine: its settings, its models, and whether both are in order."""
