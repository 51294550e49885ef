"""Random numbers from a seed: the same in every process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from llmsim.engine.seeds import mix

T = TypeVar("T")

_MASK = (1 << 64) - 1
_HALF = (1 << 32) - 1


class Exhausted(Exception):  # noqa: N818 - the end of a supply is not a mistake
    """A value took more steps than any sensible schema needs."""


class SeededRandom:
    """A 64-bit linear congruential generator (Knuth's MMIX constants) and a supply of steps.

    Every part of a value costs one step, so neither a schema that doubles at each level nor a
    search without a solution can hold a worker up. ``wild`` asks makers for any valid value
    instead of a plausible one.
    """

    __slots__ = ("_state", "_thrift", "steps", "wild")

    def __init__(self, seed: int, steps: int) -> None:
        self._state = mix(seed)
        self.steps = steps
        self._thrift = steps // 2
        self.wild = False

    def spend(self, steps: int = 1) -> None:
        """Take steps. Raises Exhausted when none are left."""
        self.steps -= steps
        if self.steps < 0:
            raise Exhausted

    @contextmanager
    def wildly(self) -> Iterator[None]:
        """Within it, ``wild`` is set."""
        before, self.wild = self.wild, True
        try:
            yield
        finally:
            self.wild = before

    @property
    def scarce(self) -> bool:
        """Whether to leave out what is not required, because half the steps are gone."""
        return self.steps < self._thrift

    def below(self, n: int) -> int:
        """A number from 0 to n - 1; n ≥ 1."""
        self._state = state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        if n <= _HALF:
            return ((state >> 32) * n) >> 32
        bits = state >> 32
        for _ in range(n.bit_length() // 32):
            bits = (bits << 32) | self.below(_HALF)
        return bits % n

    def between(self, low: int, high: int) -> int:
        """A number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; there must be at least one."""
        return options[self.below(len(options))]
