"""The ``latency`` section: which profile paces which model.

A rule that names no profile but sets a time is complete in itself: it needs both means, and its
deviations default to 0. The section's own keys are the rule for every model that no pattern of
``models`` matches. Patterns are in the order of the file; the first that matches counts, and its
rule takes nothing from the section's.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section
from llmsim.config.schema.values import Day, Name, Named, Words, unfit
from llmsim.core.catalog import profiles
from llmsim.core.catalog.profiles import DISTRIBUTIONS, PRESETS, Distribution
from llmsim.core.latency import AUTO, Latency, LatencyRule
from llmsim.core.spelling import did_you_mean

TIMES: Final = ("ttft_mean_ms", "ttft_stddev_ms", "tbt_mean_ms", "tbt_stddev_ms")
MEANS: Final = ("ttft_mean_ms", "tbt_mean_ms")
IMPOSSIBLE: Final = (
    "a lognormal with a deviation needs a mean above 0; set each mean together with its "
    "deviation, as the mean of a profile may be 0"
)
MISSING: Final = (
    "is missing: without a profile, ttft_mean_ms and tbt_mean_ms are needed; or name a profile "
    "to start from"
)


def _profile(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    if text.lower() == AUTO:
        return AUTO
    try:
        return profiles.canonical(text)
    except profiles.UnknownProfile:
        valid = f"{AUTO} or one of {', '.join(PRESETS)}"
        raise unfit(valid, did_you_mean(text, PRESETS)) from None


# Hyphens and case do not matter; of such spellings those without hyphens are documented.
_NAMES: Final = dict.fromkeys((AUTO, *PRESETS, *(name.replace("-", "") for name in PRESETS)))
Profile: TypeAlias = Annotated[
    str, BeforeValidator(_profile), WithJsonSchema({"enum": list(_NAMES)})
]


class LatencyRuleSection(Section, of=LatencyRule):
    """A profile, and times that replace its own."""

    profile: Profile = Field(
        AUTO,
        description="A preset, or `auto`: the profile of the request's model.",
    )
    ttft_mean_ms: Day | None = Field(None, description="Time to first token in milliseconds: mean.")
    ttft_stddev_ms: Day | None = Field(
        None, description="Time to first token in milliseconds: standard deviation."
    )
    tbt_mean_ms: Day | None = Field(None, description="Time between tokens in milliseconds: mean.")
    tbt_stddev_ms: Day | None = Field(
        None, description="Time between tokens in milliseconds: standard deviation."
    )
    distribution: Annotated[Distribution, Words(DISTRIBUTIONS)] | None = Field(
        None, description="How times are distributed; `normal` is truncated at 0."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if "profile" not in present and not present.isdisjoint(TIMES):
            for name in MEANS:
                if getattr(self, name) is None:
                    yield Problem(name, MISSING)
        rule = self.part(LatencyRuleSection).build()
        try:
            for own in PRESETS.values():
                rule.on(own)
        except ValueError:
            yield Problem("distribution", IMPOSSIBLE, (*TIMES, "profile"))

    def build(self) -> LatencyRule:
        rule: LatencyRule = super().build()
        times = (rule.ttft_mean, rule.ttft_stddev, rule.tbt_mean, rule.tbt_stddev)
        if "profile" in self.model_fields_set or times == (None,) * 4:
            return rule
        mean, stddev, tbt_mean, tbt_stddev = (time or 0.0 for time in times)
        return LatencyRule(None, mean, stddev, tbt_mean, tbt_stddev, rule.distribution or "normal")


class LatencySection(LatencyRuleSection, of=Latency):
    """How answers are paced."""

    flat: ClassVar = {"default": LatencyRuleSection}

    models: Annotated[
        dict[Annotated[str, Name("model pattern")], LatencyRuleSection], Named("model pattern")
    ] = Field(
        {},
        description="Other settings for some models: shell pattern of the name, and keys as "
        "here. The first that matches applies; the keys here are then ignored.",
    )

    def build(self) -> Any:
        return Section.build(self)
