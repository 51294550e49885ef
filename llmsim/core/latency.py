"""Which latency profile paces which model.

A rule starts from a profile and overrides single values of it. The start is a preset, or
``auto``: the profile the catalogue gives the model. A rule without a profile is complete in
itself: all its other values are set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llmsim.core.catalog import profiles
from llmsim.core.catalog.profiles import Distribution, LatencyProfile
from llmsim.core.patterns import matches

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class LatencyRule:
    """A profile to start from, and what replaces its values: seconds, None where nothing does.

    ``profile`` None starts from nothing: all other values are set.
    """

    profile: str | None = AUTO
    ttft_mean: float | None = None
    ttft_stddev: float | None = None
    tbt_mean: float | None = None
    tbt_stddev: float | None = None
    distribution: Distribution | None = None

    def on(self, own: LatencyProfile) -> LatencyProfile:
        """The profile that follows for a model whose own is ``own``.

        Raises ValueError for a lognormal with mean 0 and a deviation; a rule read from a
        configuration never does where ``own`` is a preset.
        """
        start = own if self.profile in (AUTO, None) else profiles.preset(self.profile)
        if self.distribution is None and self._times() == (None,) * 4:
            return start
        return LatencyProfile(
            start.ttft_mean if self.ttft_mean is None else self.ttft_mean,
            start.ttft_std if self.ttft_stddev is None else self.ttft_stddev,
            start.itl_mean if self.tbt_mean is None else self.tbt_mean,
            start.itl_std if self.tbt_stddev is None else self.tbt_stddev,
            start.distribution if self.distribution is None else self.distribution,
        )

    def _times(self) -> tuple[float | None, ...]:
        return (self.ttft_mean, self.ttft_stddev, self.tbt_mean, self.tbt_stddev)


@dataclass(frozen=True, slots=True)
class Latency:
    """The rule for each model: that of the first shell pattern that matches its name, or
    ``default``."""

    default: LatencyRule = LatencyRule()
    models: tuple[tuple[str, LatencyRule], ...] = ()

    def for_model(self, name: str, own: LatencyProfile) -> LatencyProfile:
        """The profile that paces a model, given the one the catalogue has for it."""
        for pattern, rule in self.models:
            if matches(pattern, name):
                return rule.on(own)
        return self.default.on(own)
