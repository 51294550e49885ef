"""Latency profiles: how long a model takes for what it is asked.

    time to first token = accept + ttft + prefill x prompt tokens that no cache held
                          + reasoning x hidden reasoning tokens (+ one itl, if ``steps``)

and then one itl a token. The presets follow published measurements, which are kept beside them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from llmsim.core import Effort
from llmsim.core.catalog.distribution import NOTHING, Distribution, Kind


@dataclass(frozen=True, slots=True)
class LatencyProfile:
    """What the times of an answer follow from, in seconds.

    ``ttft`` is what the first token takes whatever is asked, ``itl`` the gap between two tokens.
    ``accept`` is the time until a request is taken: what needs no token can be sent from then on.
    ``prefill`` is for each token of the prompt that no cache held, ``reasoning`` for each token of
    reasoning that is not shown; None is the mean of ``itl``. With ``steps`` the first token takes
    an ``itl``, too, which is in ``ttft`` otherwise.

    Raises ValueError for a time that is negative or not finite.
    """

    ttft: Distribution
    itl: Distribution
    accept: float = 0.0
    prefill: float = 0.0
    reasoning: float | None = None
    steps: bool = False

    def __post_init__(self) -> None:
        for name in ("accept", "prefill", "reasoning"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number of seconds >= 0, not {value!r}")

    @classmethod
    def of(
        cls,
        ttft_mean: float,
        ttft_stddev: float,
        itl_mean: float,
        itl_stddev: float,
        kind: Kind = "lognormal",
    ) -> LatencyProfile:
        """From means and standard deviations. Raises ValueError."""
        return cls(
            Distribution(ttft_mean, ttft_stddev, kind), Distribution(itl_mean, itl_stddev, kind)
        )


@dataclass(frozen=True, slots=True)
class Measurement:
    """A published measurement of a model: the median time to first token in seconds, for a prompt
    of that many tokens, and the tokens a second after it. ``source`` says who measured it and
    when. ``effort`` None is the model's default; ``hidden`` is about how many tokens of reasoning
    precede the first token at that effort."""

    model: str
    ttft: float
    speed: float
    prompt: int
    source: str
    effort: Effort | None = None
    hidden: int = 0


ANALYSIS: Final = "artificialanalysis.ai"

MEASURED: Final[Mapping[str, Measurement]] = MappingProxyType(
    {
        "gpt-4": Measurement(
            "gpt-4-turbo-2024-04-09",
            0.42,
            35.1,
            100,
            "TTFT: modelbench.dev, January 2025; speed: community.openai.com/t/768559, May 2024",
        ),
        "gpt-4o": Measurement(
            "gpt-4o-2024-05-13", 0.39, 81, 1000, f"{ANALYSIS} (OpenAI), early 2025"
        ),
        "gpt-5": Measurement(
            "gpt-5", 0.89, 80, 1000, f"{ANALYSIS} (OpenAI), November 2025", "minimal"
        ),
        "gpt-5-mini": Measurement(
            "gpt-5-mini",
            0.89,
            71.2,
            1000,
            f"TTFT: that of gpt-5; speed: {ANALYSIS} by shadabchow.com, late 2025",
            "minimal",
        ),
        "o-series": Measurement(
            "o3", 22.99, 108.1, 1000, f"{ANALYSIS} (OpenAI), mid 2025", "medium", 2368
        ),
        "claude-opus": Measurement(
            "claude-opus-4-1-20250805",
            2.67,
            45,
            1000,
            f"{ANALYSIS} by lattice.uptownhr.com, November 2025",
        ),
        "claude-sonnet": Measurement(
            "claude-sonnet-4-5-20250929",
            1.8,
            63,
            1000,
            f"{ANALYSIS} by lattice.uptownhr.com, November 2025",
        ),
        "claude-haiku": Measurement(
            "claude-haiku-4-5-20251001", 1.336, 97, 100, "lmspeed.net, 30 tests, 2026"
        ),
        "gemini-pro": Measurement(
            "gemini-2.5-pro",
            6.0,
            150,
            1000,
            "about what several sources gave in 2025, which differ by a factor of two",
            "medium",
            768,
        ),
        "gemini-flash": Measurement(
            "gemini-1.5-flash-002", 0.41, 192, 1000, f"{ANALYSIS} (AI Studio), late 2024"
        ),
        "deepseek": Measurement("deepseek-v3", 0.51, 68, 200, "coccoc.org, 120 prompts, May 2026"),
        "deepseek-reasoner": Measurement(
            "deepseek-reasoner", 0.51, 68, 200, "that of deepseek: one model is both", "none"
        ),
    }
)
"""What each preset of a model follows."""

PREFILL: Final = 1e-4
"""Seconds for each token of a prompt: published fits of hosted services are 0.05 to 0.5 ms."""

TTFT_SIGMA: Final = 0.72
"""Deviation of the logarithm of the time to first token: the 95th percentile is 3.3 times the
median, as measured of gpt-4o (679 and 2220 ms, newmen.ai, 2026)."""

ITL_SPREAD: Final = 0.5
"""Standard deviation of the gap between tokens as a part of its mean. Our own."""


def _preset(measured: Measurement) -> LatencyProfile:
    """The profile of a model that was measured so.

    The mean of a lognormal with the median m is m exp(sigma² / 2), its deviation the mean times
    sqrt(exp(sigma²) - 1).
    """
    step = 1 / measured.speed
    overhead = measured.ttft - PREFILL * measured.prompt - step * measured.hidden
    mean = overhead * math.exp(TTFT_SIGMA**2 / 2)
    ttft = Distribution(_ms(mean), _ms(mean * math.sqrt(math.expm1(TTFT_SIGMA**2))))
    itl = Distribution(_ms(step, 2), _ms(step * ITL_SPREAD, 2))
    return LatencyProfile(ttft, itl, prefill=PREFILL)


def _ms(seconds: float, digits: int = 0) -> float:
    """Rounded to milliseconds, or to so many digits after them."""
    return round(seconds, 3 + digits)


PRESETS: Final[Mapping[str, LatencyProfile]] = MappingProxyType(
    {
        **{name: _preset(measured) for name, measured in MEASURED.items()},
        "fast": LatencyProfile.of(0.01, 0.002, 0.001, 0.0),
        "instant": LatencyProfile(NOTHING, NOTHING),
    }
)
"""Preset name to profile."""


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
