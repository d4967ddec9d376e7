"""What is kept of recordings besides their words: seconds, minutes, and what people say of them."""
