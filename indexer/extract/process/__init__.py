"""The child process that opens strangers' files: started, confined, given jobs, and ended."""
