"""`recollect serve` as a service of the person's own system, from login on, on Linux and macOS."""
