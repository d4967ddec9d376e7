"""The library over HTTP: who may ask, how much is taken on, and what goes out."""
