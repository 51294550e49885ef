"""The ``latency`` section: which profile paces which model.

A rule starts from a profile and overrides single values of it. The start is a preset, or
``auto``: the profile the catalogue gives the model. A rule that names no profile but sets a
time is complete in itself: it needs both means, and its deviations default to 0.

The section's own keys are the rule for every model that no pattern of ``models`` matches.
Patterns are shell globs, in the order of the file; the first that matches counts, and its rule
takes nothing from the section's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from llmsim.config.containers import Maybe, Named
from llmsim.config.document import Node, Scalar
from llmsim.config.kinds import Millis, OneOf, meant, unfit
from llmsim.config.patterns import matches
from llmsim.config.record import Flat, Given, Record
from llmsim.core.catalog import profiles
from llmsim.core.catalog.profiles import DISTRIBUTIONS, Distribution, LatencyProfile

AUTO: Final = "auto"
DAY: Final = Millis(86_400_000)
TIMES: Final = ("ttft_mean_ms", "ttft_stddev_ms", "tbt_mean_ms", "tbt_stddev_ms")
IMPOSSIBLE: Final = (
    "a lognormal with a deviation needs a mean above 0; set each mean together with its "
    "deviation, as the mean of a profile may be 0"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """The name of a preset, as :mod:`llmsim.core.catalog.profiles` spells it, or ``auto``."""

    @property
    def valid(self) -> str:
        return f"{AUTO} or one of {', '.join(profiles.PRESETS)}"

    def read(self, node: Node, key: str) -> str:
        text = node.text if isinstance(node, Scalar) else ""
        if text.lower() == AUTO:
            return AUTO
        try:
            return profiles.canonical(text)
        except profiles.UnknownProfile:
            raise unfit(node, key, self.valid, meant(text, profiles.PRESETS)) from None

    def write(self, value: str) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Rule:
    """A profile to start from, and what replaces its values: seconds, None where nothing does.

    ``profile`` None starts from nothing: all other values are set.
    """

    profile: Annotated[str | None, Profile()] = AUTO
    ttft_mean: Annotated[float | None, Maybe(DAY)] = None
    ttft_stddev: Annotated[float | None, Maybe(DAY)] = None
    tbt_mean: Annotated[float | None, Maybe(DAY)] = None
    tbt_stddev: Annotated[float | None, Maybe(DAY)] = None
    distribution: Annotated[Distribution | None, Maybe(OneOf(DISTRIBUTIONS))] = None

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

    def checked(self, given: Given) -> Rule:
        """The rule, complete where it names no profile."""
        rule = self
        if "profile" not in given and any(key in given for key in TIMES):
            rule = self._complete(given)
        try:
            for own in profiles.PRESETS.values():
                rule.on(own)
        except ValueError:
            given.fault("distribution", IMPOSSIBLE, *TIMES, "profile")
        return rule

    def _complete(self, given: Given) -> Rule:
        for key, value in (("ttft_mean_ms", self.ttft_mean), ("tbt_mean_ms", self.tbt_mean)):
            if value is None:
                message = "is missing: without a profile, ttft_mean_ms and tbt_mean_ms are needed"
                given.fault(key, f"{message}; or name a profile to start from")
        return Rule(
            None,
            self.ttft_mean or 0.0,
            self.ttft_stddev or 0.0,
            self.tbt_mean or 0.0,
            self.tbt_stddev or 0.0,
            self.distribution or "normal",
        )

    def _times(self) -> tuple[float | None, ...]:
        return (self.ttft_mean, self.ttft_stddev, self.tbt_mean, self.tbt_stddev)


@dataclass(frozen=True, slots=True)
class Latency:
    """The rule for each model: the first pattern that matches, or ``default``."""

    default: Annotated[Rule, Flat(Rule)] = Rule()
    models: Annotated[tuple[tuple[str, Rule], ...], Named(Record(Rule), "model pattern")] = ()

    def for_model(self, name: str, own: LatencyProfile) -> LatencyProfile:
        """The profile that paces a model, given the one the catalogue has for it."""
        for pattern, rule in self.models:
            if matches(pattern, name):
                return rule.on(own)
        return self.default.on(own)
