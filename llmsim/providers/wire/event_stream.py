"""AWS's binary event stream (``application/vnd.amazon.eventstream``).

A message is its length and that of its headers (32 bits each, big-endian), the checksum of both,
the headers, the payload, and the checksum of all before it; checksums are CRC-32. A header is the
length of its name, the name, the type of its value (7: text), the length of that (16 bits) and the
value.
"""

from __future__ import annotations

from functools import lru_cache
from struct import pack
from typing import Final
from zlib import crc32

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_TEXT: Final = 7
_AROUND: Final = 16  # lengths and checksums


def message(headers: bytes, payload: bytes) -> bytes:
    """One message; ``headers`` as :func:`encoded` makes them."""
    prelude = pack("!II", _AROUND + len(headers) + len(payload), len(headers))
    whole = b"%b%b%b%b" % (prelude, pack("!I", crc32(prelude)), headers, payload)
    return whole + pack("!I", crc32(whole))


def encoded(headers: dict[str, str]) -> bytes:
    """Headers with text in them."""
    made = b""
    for name, value in headers.items():
        text = value.encode()
        made += pack("!B", len(name)) + name.encode() + pack("!BH", _TEXT, len(text)) + text
    return made


@lru_cache(maxsize=64)
def _headers(kind: str, name: str) -> bytes:
    return encoded(
        {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    )


def event(name: str, payload: bytes) -> bytes:
    """An event of that type, with JSON in it."""
    return message(_headers("event", name), payload)


def exception(name: str, payload: bytes) -> bytes:
    """An exception of that type, which ends a stream."""
    return message(_headers("exception", name), payload)
