"""Responses: ``encrypted_content``, which clients send back and do not read. Here it only looks
encrypted."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

# What such content begins with on the live service.
START = "gAAAAAB"


def encrypted(text: str) -> str:
    """A text as ``encrypted_content``."""
    return START + urlsafe_b64encode(text.encode()).decode()


def decrypted(content: str) -> str:
    """The text of ``encrypted_content``; "" where it was not made here."""
    if not content.startswith(START):
        return ""
    try:
        return urlsafe_b64decode(content.removeprefix(START)).decode()
    except ValueError:
        return ""
