"""Requests other than chats: legacy completions, embeddings, moderations, images."""
