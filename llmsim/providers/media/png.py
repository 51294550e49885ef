"""Small PNG files: stripes of four colours, which say by their seed what they are of."""

from __future__ import annotations

from functools import lru_cache
from struct import pack
from zlib import compress, crc32

PALETTE = 4
AT_HAND = 32
"""Pictures that are kept, for those that are asked for again."""


@lru_cache(maxsize=AT_HAND)
def stripes(seed: int, width: int, height: int) -> bytes:
    """A picture of ``width`` × ``height`` pixels; another seed gives other colours."""
    colours = b"".join(
        crc32(b"%d %d" % (seed, colour)).to_bytes(4, "big")[:3] for colour in range(PALETTE)
    )
    across = -(-width // 4)  # two bits a pixel
    rows = [b"\x00" + bytes([0x55 * colour]) * across for colour in range(PALETTE)]
    tall = max(1, height // (2 * PALETTE))
    pixels = b"".join([rows[place // tall % PALETTE] for place in range(height)])
    head = pack(">IIBBBBB", width, height, 2, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", colours), (b"IDAT", compress(pixels, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))
