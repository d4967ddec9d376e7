"""The child process that opens untrusted files: started, confined, given jobs, and ended."""
