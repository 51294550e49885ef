"""Embeddings without a model: what is spelled alike points the same way.

A text becomes a bag of its words and of the character trigrams in it, each hashed into one of
:data:`SPACE` components with a sign (feature hashing: Weinberger et al., Feature Hashing for Large
Scale Multitask Learning, 2009). The discrete Hartley transform, a rotation, then spreads every
one over all dimensions, so that a vector is dense and its first dimensions, normalised again,
are the same text's shorter vector, as with the providers' own models.
"""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from llmsim.engine.seeds import mix

SPACE = 4096
"""Hashed features, and the most dimensions that come without widening the space."""

# What a word counts beside one of its trigrams, and what all texts have in common: embeddings of
# real models lie in a narrow cone too.
WORD = 3.0
COMMON = 2.0

_WORDS = re.compile(r"\w+")
_ODD = np.uint32(0x9E3779B1)
_SIGN = np.uint32(1 << 31)
_BYTE, _TWO_BYTES = np.uint32(8), np.uint32(16)


def vector(text: str, dimensions: int) -> NDArray[np.float32]:
    """The embedding of ``text``: shape ``(dimensions,)``, of length 1, equal in every process.

    Case and punctuation count for little. Raises ValueError if ``dimensions`` is below 1.
    """
    if dimensions < 1:
        raise ValueError(f"dimensions: must be at least 1, not {dimensions}")
    space = SPACE if dimensions <= SPACE else 1 << (dimensions - 1).bit_length()
    values = _rotated(_hashed(text, space))[:dimensions]
    length = float(np.sqrt(values @ values))
    if length == 0.0:  # one or two dimensions may cancel out
        values, length = np.eye(1, dimensions)[0], 1.0
    return (values / length).astype(np.float32)


def _hashed(text: str, space: int) -> NDArray[np.float64]:
    """The bag of features, shape ``(space,)``; what comes often counts as its square root."""
    words = _WORDS.findall(text.casefold())
    hashes = np.array([crc32(word.encode(errors="replace")) for word in words], np.uint32)
    spelled = np.frombuffer(f" {' '.join(words)} ".encode(errors="replace"), np.uint8)
    letters = spelled.astype(np.uint32)
    trigrams = letters[:-2] << _TWO_BYTES | letters[1:-1] << _BYTE | letters[2:]
    bag = WORD * _counted(hashes, space) + _counted(trigrams, space)
    bag = np.copysign(np.sqrt(np.abs(bag)), bag)
    bag[0] += COMMON
    return bag


def _counted(features: NDArray[np.uint32], space: int) -> NDArray[np.float64]:
    """How often each component is hit, counting a feature's hits up or down."""
    mixed = features * _ODD
    mixed = (mixed ^ mixed >> np.uint32(15)) * _ODD
    signs = np.where(mixed & _SIGN, 1.0, -1.0)
    return np.asarray(
        np.bincount((mixed >> np.uint32(7)) % np.uint32(space), signs, space), np.float64
    )


def _rotated(bag: NDArray[np.float64]) -> NDArray[np.float64]:
    """The discrete Hartley transform of the bag with random signs."""
    spectrum = np.fft.rfft(bag * _signs(len(bag)))
    half = spectrum.real - spectrum.imag
    return np.concatenate((half, (spectrum.real + spectrum.imag)[-2:0:-1]))


@lru_cache(maxsize=8)
def _signs(space: int) -> NDArray[np.float64]:
    return np.array([1.0 if mix(index, 60) & 1 else -1.0 for index in range(space)])
