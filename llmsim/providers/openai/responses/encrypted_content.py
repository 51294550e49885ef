"""Responses: content that clients send back and do not read. On the live service it is encrypted;
here it only looks so."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

# What such content begins with on the live service.
START = "gAAAAAB"


def encrypted(text: str) -> str:
    """A text as such content."""
    return START + urlsafe_b64encode(text.encode()).decode()


def decrypted(content: str) -> str:
    """The text of such content; "" for what was not made here."""
    if not content.startswith(START):
        return ""
    try:
        return urlsafe_b64decode(content.removeprefix(START)).decode()
    except ValueError:
        return ""
