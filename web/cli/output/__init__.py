"""What the command line prints: text for people, or JSON for programs."""
