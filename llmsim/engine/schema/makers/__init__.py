"""Makers: what fills a place of each type in a value."""
