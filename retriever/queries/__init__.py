"""What is asked: words or an example, and the filters that are typed among the words."""
