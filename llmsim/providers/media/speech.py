"""Speech without a voice: a text is said as tones, 40 ms for each of its tokens.

So a client can tell how much was said, every player plays it, and what is streamed in pieces is
what is sent whole.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np

RATE: Final = 24_000
"""Samples a second, of 16 bits each, on one channel."""
TOKEN_SAMPLES: Final = RATE // 25
"""Samples of a token: 25 tokens a second, as Gemini counts speech. A multiple of 3, so that pieces
of whole tokens in base64 can be joined as they are."""
TOKEN_BYTES: Final = 2 * TOKEN_SAMPLES

TONES: Final = 24
LOWEST: Final = 110.0
"""Hertz of the lowest tone; the others are semitones above it."""
LOUDNESS: Final = 6_000
FADE: Final = TOKEN_SAMPLES // 8
"""Samples in which a tone begins and ends, so that there is no click."""


def pcm(text: str, start: int, stop: int) -> bytes:
    """Tokens ``start`` to ``stop`` (exclusive) of a text: 16 bits a sample, little endian."""
    tones = _tones()
    first = crc32(text.encode(errors="replace"))
    return b"".join([tones[(first >> index % 24) % TONES] for index in range(start, stop)])


@lru_cache(maxsize=1)
def _tones() -> tuple[bytes, ...]:
    times = np.arange(TOKEN_SAMPLES) / RATE
    edge = np.minimum(np.arange(TOKEN_SAMPLES), np.arange(TOKEN_SAMPLES)[::-1]) / FADE
    envelope = LOUDNESS * np.minimum(edge, 1.0)
    pitches = [LOWEST * 2 ** (number / 12) for number in range(TONES)]
    return tuple(
        (envelope * np.sin(2 * np.pi * pitch * times)).astype("<i2").tobytes() for pitch in pitches
    )
