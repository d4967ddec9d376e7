"""One library as people meet it: every verb, in its JSON."""
