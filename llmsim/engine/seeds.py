"""Seeds: how one number decides everything about an answer."""

from __future__ import annotations

from zlib import crc32

BITS = 48
"""How long the seeds are that llmsim makes itself: they fit any client's number type."""

_MASK = 0xFFFFFFFFFFFFFFFF
_SEEDS = (1 << BITS) - 1


def mix(seed: int, salt: int = 0) -> int:
    """A well-spread 64-bit number from a seed of any size and a salt.

    The finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
    Generators, 2014), so neighbouring seeds give unrelated numbers.
    """
    z = (seed + (salt + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def fraction(seed: int, salt: int = 0) -> float:
    """A number in [0, 1) from a seed and a salt."""
    return (mix(seed, salt) >> 11) * 2.0**-53


def settled(asked: int | None, configured: int | None, body: bytes) -> int | None:
    """The seed of a request: the client's, else one that follows from the configured seed and
    the body. None where there is neither and a random one has to be made."""
    if asked is not None:
        return asked
    if configured is not None:
        return mix(configured, crc32(body)) >> (64 - BITS)
    return None


class SeedSource:
    """Seeds for requests that come with none, one after another without repeating.

    A full-period generator modulo 2**48 (POSIX drand48) from ``start``, which whoever makes it
    draws at random.
    """

    __slots__ = ("_latest",)

    def __init__(self, start: int) -> None:
        self._latest = start

    def __call__(self) -> int:
        """The next seed."""
        self._latest = seed = (self._latest * 0x5DEECE66D + 11) & _SEEDS
        return seed
