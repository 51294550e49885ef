"""Files sent inside a request: the size of a picture, and a mark that sets one file apart."""

from __future__ import annotations

from base64 import b64decode
from zlib import crc32

# Characters of base64 looked at: a JPEG may have a preview of up to 64 KB before its size.
HEAD = 120_000
# Characters of each end of a file that go into its mark, beside its length.
EDGE = 256

Size = tuple[int, int]
UNKNOWN: Size = (0, 0)


def size(encoded: str) -> Size:
    """Width and height in pixels of a picture in base64; 0, 0 if its format is not known.

    PNG (ISO/IEC 15948), GIF (89a specification), WebP (RFC 9649) and JPEG (ITU-T T.81).
    """
    try:
        head = b64decode(encoded[:64])
        match head[:4]:
            case b"\x89PNG" if head[12:16] == b"IHDR":
                return _big(head[16:20]), _big(head[20:24])
            case b"GIF8":
                return _little(head[6:8]), _little(head[8:10])
            case b"RIFF" if head[8:12] == b"WEBP":
                return _webp(head)
        if head[:3] == b"\xff\xd8\xff":
            return _jpeg(b64decode(encoded[:HEAD]))
    except ValueError:
        pass
    return UNKNOWN


def mark(encoded: str, before: int = 0) -> int:
    """A number that differs from one file in base64, or one URL, to another. Not all of it is read.

    ``before`` is the mark of what precedes it, if anything does.
    """
    if len(encoded) > 2 * EDGE:
        encoded = f"{len(encoded)}{encoded[:EDGE]}{encoded[-EDGE:]}"
    return crc32(encoded.encode(), before)


def _webp(head: bytes) -> Size:
    match head[12:16]:
        case b"VP8 ":
            return _little(head[26:28]) & 0x3FFF, _little(head[28:30]) & 0x3FFF
        case b"VP8L":
            bits = _little(head[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return _little(head[24:27]) + 1, _little(head[27:30]) + 1
    return UNKNOWN


def _jpeg(data: bytes) -> Size:
    """From the first frame header: segments are a marker, a length that counts itself, content."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return _big(data[place + 7 : place + 9]), _big(data[place + 5 : place + 7])
        place += 2 + _big(data[place + 2 : place + 4])
    return UNKNOWN


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
