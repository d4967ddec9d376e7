"""The commands; what a command needs is imported when it runs."""
