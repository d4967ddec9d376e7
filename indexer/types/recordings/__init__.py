"""What is known of a recording: its transcript, and the minutes made of it."""
