"""How many requests a second a load test sends at which moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """A shape: corners of (part of the duration, part of the rate), straight lines between them.
    ``rate`` and ``duration`` (requests a second, seconds) are the defaults."""

    corners: tuple[tuple[float, float], ...]
    rate: float
    duration: float

    def at(self, part: float) -> float:
        """The part of the rate at a part of the duration, both from 0 to 1."""
        for (begins, low), (ends, high) in zip(self.corners, self.corners[1:], strict=False):
            if part < ends:
                return low + (high - low) * (part - begins) / (ends - begins)
        return self.corners[-1][1]


PROFILES: Final[Mapping[str, LoadProfile]] = {
    # It works at all.
    "smoke": LoadProfile(((0.0, 1.0), (1.0, 1.0)), rate=1, duration=30),
    # What is expected: up, on, and down again.
    "load": LoadProfile(((0.0, 0.1), (0.2, 1.0), (0.9, 1.0), (1.0, 0.0)), rate=20, duration=300),
    # More and more: where does it end?
    "stress": LoadProfile(
        (
            (0.0, 0.2), (0.2, 0.2), (0.2, 0.4), (0.4, 0.4), (0.4, 0.6), (0.6, 0.6),
            (0.6, 0.8), (0.8, 0.8), (0.8, 1.0), (1.0, 1.0),
        ),
        rate=100,
        duration=300,
    ),
    # Calm, ten times as much at once, and calm: does it recover?
    "spike": LoadProfile(
        ((0.0, 0.1), (0.4, 0.1), (0.4, 1.0), (0.6, 1.0), (0.6, 0.1), (1.0, 0.1)),
        rate=50,
        duration=120,
    ),
    # The same for long: does anything grow?
    "soak": LoadProfile(((0.0, 1.0), (1.0, 1.0)), rate=10, duration=3600),
}  # fmt: skip


def requests_per_second(
    profile: LoadProfile, elapsed: float, rate: float, duration: float
) -> int | None:
    """Whole requests a second at so many seconds after the beginning, one at least; None when it is
    over."""
    if elapsed >= duration:
        return None
    return max(round(profile.at(elapsed / duration) * rate), 1)
