"""The child process that opens strangers' files: started, fenced in, asked, and ended."""
