"""Texts, plain and with markup: source code, Markdown, CSV, web pages, books, rich text."""
