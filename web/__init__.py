"""The outermost layer: one library as people meet it, over HTTP and in the terminal."""
