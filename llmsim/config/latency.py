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
from typing import Final

from llmsim.config.containers import Maybe, Named
from llmsim.config.document import Node, Scalar
from llmsim.config.kinds import Millis, OneOf, unfit
from llmsim.config.record import Flat, Given, Record, describe
from llmsim.core.catalog import profiles
from llmsim.core.catalog.profiles import DISTRIBUTIONS
from llmsim.core.latency import AUTO, Latency, LatencyRule
from llmsim.core.spelling import did_you_mean

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
            raise unfit(node, key, self.valid, did_you_mean(text, profiles.PRESETS)) from None

    def write(self, value: str) -> object:
        return value


def _check(rule: LatencyRule, given: Given) -> LatencyRule:
    """The rule, complete where it names no profile."""
    if "profile" not in given and any(key in given for key in TIMES):
        rule = _complete(rule, given)
    try:
        for own in profiles.PRESETS.values():
            rule.on(own)
    except ValueError:
        given.fault("distribution", IMPOSSIBLE, *TIMES, "profile")
    return rule


def _complete(rule: LatencyRule, given: Given) -> LatencyRule:
    for key, value in (("ttft_mean_ms", rule.ttft_mean), ("tbt_mean_ms", rule.tbt_mean)):
        if value is None:
            message = "is missing: without a profile, ttft_mean_ms and tbt_mean_ms are needed"
            given.fault(key, f"{message}; or name a profile to start from")
    return LatencyRule(
        None,
        rule.ttft_mean or 0.0,
        rule.ttft_stddev or 0.0,
        rule.tbt_mean or 0.0,
        rule.tbt_stddev or 0.0,
        rule.distribution or "normal",
    )


describe(
    LatencyRule,
    _check,
    profile=Profile(),
    ttft_mean=Maybe(DAY),
    ttft_stddev=Maybe(DAY),
    tbt_mean=Maybe(DAY),
    tbt_stddev=Maybe(DAY),
    distribution=Maybe(OneOf(DISTRIBUTIONS)),
)
describe(Latency, default=Flat(LatencyRule), models=Named(Record(LatencyRule), "model pattern"))
