"""One library as people meet it: every command, in its JSON."""
