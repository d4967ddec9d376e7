"""Conversations: questions with their answers, kept in a file of their own beside the catalog."""
