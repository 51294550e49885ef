"""Which latency profile paces which model.

A rule starts from a profile and overrides single values of it. The start is a preset, or
``auto``: the profile the catalogue gives the model. A rule without a profile is complete in
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llmsim.core.catalog import profiles
from llmsim.core.catalog.distribution import Distribution, Moments
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.core.load.step_cost import Load
from llmsim.core.patterns import matches

AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class LatencyRule:
    """A profile to start from, and what replaces its values: seconds, None where nothing does.

    ``profile`` None starts from nothing: what is not set is 0. ``ttft`` and ``itl`` replace a
    distribution as a whole, in place of the means, deviations and the kind. ``ttft_overhead`` is
    the same for a time to first token that does not include the first step.
    """

    profile: str | None = AUTO
    ttft_mean: float | None = None
    ttft_stddev: float | None = None
    itl_mean: float | None = None
    itl_stddev: float | None = None
    distribution: Moments | None = None
    ttft: Distribution | None = None
    ttft_overhead: Distribution | None = None
    itl: Distribution | None = None
    accept: float | None = None
    prefill: float | None = None
    reasoning: float | None = None
    load: Load | None = None

    def on(self, own: LatencyProfile) -> LatencyProfile:
        """The profile that follows for a model whose own is ``own``.

        Raises ValueError for a lognormal or gamma with mean 0 and a deviation; a rule read from a
        configuration never does where ``own`` is a preset.
        """
        start = self._start(own)
        if self == LatencyRule(self.profile):
            return start
        ttft = start.ttft.varied(self.ttft_mean, self.ttft_stddev, self.distribution)
        itl = start.itl.varied(self.itl_mean, self.itl_stddev, self.distribution)
        return LatencyProfile(
            self.ttft_overhead or self.ttft or ttft,
            self.itl or itl,
            start.accept if self.accept is None else self.accept,
            start.prefill if self.prefill is None else self.prefill,
            start.reasoning if self.reasoning is None else self.reasoning,
            self.ttft_overhead is not None or (self.ttft is None and start.steps),
        )

    def _start(self, own: LatencyProfile) -> LatencyProfile:
        if self.profile is None:
            return profiles.preset("instant")
        return own if self.profile == AUTO else profiles.preset(self.profile)


@dataclass(frozen=True, slots=True)
class Latency:
    """The rule for each model: that of the first shell pattern that matches its name, or
    ``default``."""

    default: LatencyRule = LatencyRule()
    models: tuple[tuple[str, LatencyRule], ...] = ()

    def for_model(self, name: str, own: LatencyProfile) -> LatencyProfile:
        """The profile that paces a model, given the one the catalogue has for it."""
        return self._rule(name).on(own)

    def load(self, name: str) -> Load | None:
        """How the model's latency depends on load; None where it does not."""
        return self._rule(name).load

    def _rule(self, name: str) -> LatencyRule:
        for pattern, rule in self.models:
            if matches(pattern, name):
                return rule
        return self.default
