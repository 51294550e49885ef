"""Tokens: the tokenizers, how many tokens a prompt is, what of it a cache holds."""
