"""OpenAI's API over the library, and over its model alone: chat, responses, embeddings."""
