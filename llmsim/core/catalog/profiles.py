"""Latency profiles: how long a model takes to its first token, and between tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

Distribution: TypeAlias = Literal["normal", "lognormal"]

DISTRIBUTIONS: Final[tuple[Distribution, ...]] = get_args(Distribution)


@dataclass(frozen=True, slots=True)
class LatencyProfile:
    """Mean and standard deviation of TTFT and ITL, in seconds.

    TTFT is the time to the first token, ITL the gap between two tokens. ``normal`` is truncated
    at 0; in ``lognormal`` mean and deviation are those of the time itself, not of its logarithm.

    Raises ValueError for a negative or non-finite time, an unknown distribution, or a lognormal
    with mean 0 and a deviation, which does not exist.
    """

    ttft_mean: float
    ttft_std: float
    itl_mean: float
    itl_std: float
    distribution: Distribution = "normal"

    def __post_init__(self) -> None:
        for name in ("ttft_mean", "ttft_std", "itl_mean", "itl_std"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number of seconds >= 0, not {value!r}")
        if self.distribution not in DISTRIBUTIONS:
            valid = " or ".join(DISTRIBUTIONS)
            raise ValueError(f"distribution must be {valid}, not {self.distribution!r}")
        if self.distribution == "lognormal":
            for what, mean, std in (
                ("ttft", self.ttft_mean, self.ttft_std),
                ("itl", self.itl_mean, self.itl_std),
            ):
                if mean == 0 and std > 0:
                    raise ValueError(
                        f"{what}_mean must be above 0 for a lognormal with a deviation; "
                        f"{what}_std must be 0 if the mean is"
                    )

    @classmethod
    def ms(
        cls, ttft: tuple[float, float], itl: tuple[float, float], distribution: Distribution
    ) -> LatencyProfile:
        """From (mean, standard deviation) pairs in milliseconds. Raises ValueError."""
        return cls(ttft[0] / 1e3, ttft[1] / 1e3, itl[0] / 1e3, itl[1] / 1e3, distribution)


def _normal(ttft: tuple[float, float], itl: tuple[float, float]) -> LatencyProfile:
    return LatencyProfile.ms(ttft, itl, "normal")


PRESETS: Final[Mapping[str, LatencyProfile]] = MappingProxyType(
    {
        "gpt-4": _normal((800, 200), (50, 15)),
        "gpt-4o": _normal((400, 100), (25, 8)),
        "gpt-5": _normal((600, 150), (40, 12)),
        "gpt-5-mini": _normal((300, 80), (20, 6)),
        "o-series": _normal((2000, 500), (30, 10)),
        "claude-opus": _normal((1000, 250), (60, 20)),
        "claude-sonnet": _normal((500, 120), (30, 10)),
        "claude-haiku": _normal((200, 50), (15, 5)),
        "gemini-pro": _normal((600, 150), (35, 10)),
        "gemini-flash": _normal((200, 50), (15, 5)),
        "deepseek": _normal((500, 120), (30, 10)),
        "deepseek-reasoner": _normal((1500, 400), (25, 8)),
        "fast": _normal((10, 2), (1, 0)),
        "instant": _normal((0, 0), (0, 0)),
    }
)
"""Preset name to profile; (mean, standard deviation) in milliseconds, TTFT then ITL."""


class UnknownProfile(KeyError):  # noqa: N818  named for what it says, like KeyError's own kin
    """No preset has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"unknown latency profile {self.name!r}; valid are {', '.join(PRESETS)}"


def _squeezed(name: str) -> str:
    return name.lower().replace("-", "")


_CANONICAL: Final = {_squeezed(name): name for name in PRESETS}


def canonical(name: str) -> str:
    """The preset's own name: hyphens and case do not matter. Raises UnknownProfile."""
    try:
        return _CANONICAL[_squeezed(name)]
    except KeyError:
        raise UnknownProfile(name) from None


def preset(name: str) -> LatencyProfile:
    """The preset of that name: hyphens and case do not matter. Raises UnknownProfile."""
    return PRESETS[canonical(name)]
