"""The ``latency`` section: which profile paces which model.

A rule that names no profile but sets a time is complete in itself: it needs a time to first token
and one between tokens, and all else of it is 0, reasoning excepted. The section's own keys are the
rule for every model that no pattern of ``models`` matches. Patterns are in the order of the file;
the first that matches counts, and its rule takes nothing from the section's.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from llmsim.config.schema.distribution import TimesSection
from llmsim.config.schema.load import LoadSection
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section, millis, plain, seconds
from llmsim.config.schema.values import Day, Name, Named, Words, unfit
from llmsim.core.catalog import profiles
from llmsim.core.catalog.distribution import MOMENTS, NOTHING, Distribution, Moments
from llmsim.core.catalog.profiles import PRESETS
from llmsim.core.latency import AUTO, Latency, LatencyRule
from llmsim.core.load.step_cost import Load
from llmsim.core.spelling import did_you_mean

TTFT: Final = ("ttft_ms", "ttft_overhead_ms", "ttft_mean_ms", "ttft_stddev_ms")
ITL: Final = ("itl_ms", "itl_mean_ms", "itl_stddev_ms", "tbt_mean_ms", "tbt_stddev_ms")
TIMES: Final = (*TTFT, *ITL)
ALIASES: Final = {"tbt_mean_ms": "itl_mean_ms", "tbt_stddev_ms": "itl_stddev_ms"}
"""Keys by their first names, which are still read."""

EXCLUSIVE: Final = (
    ("ttft_ms", ("ttft_overhead_ms", "ttft_mean_ms", "ttft_stddev_ms")),
    ("ttft_overhead_ms", ("ttft_mean_ms", "ttft_stddev_ms")),
    ("itl_ms", ("itl_mean_ms", "itl_stddev_ms", "tbt_mean_ms", "tbt_stddev_ms")),
)
IMPOSSIBLE: Final = (
    "a lognormal or gamma with a deviation needs a mean above 0; set each mean together with its "
    "deviation, as the mean of a profile may be 0"
)
MISSING_TTFT: Final = (
    "is missing: without a profile, a time to first token is needed (this, ttft_ms, "
    "ttft_overhead_ms or prefill_ms_per_token); or name a profile to start from"
)
MISSING_ITL: Final = (
    "is missing: without a profile, a time between tokens is needed (this or itl_ms); or name a "
    "profile to start from"
)
NO_STEP: Final = "needs an inter-token latency above 0: it is what a step takes"
FASTER: Final = "has an inter-token latency in itl_ms_at that is below that of one sequence"
_WRITTEN: Final = {
    "profile": "profile",
    "accept_ms": "accept",
    "ttft_ms": "ttft",
    "ttft_mean_ms": "ttft_mean",
    "ttft_stddev_ms": "ttft_stddev",
    "ttft_overhead_ms": "ttft_overhead",
    "prefill_ms_per_token": "prefill",
    "reasoning_ms_per_token": "reasoning",
    "itl_ms": "itl",
    "itl_mean_ms": "itl_mean",
    "itl_stddev_ms": "itl_stddev",
    "distribution": "distribution",
    "load": "load",
}
"""The keys, and the attributes of the rule they become."""


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
    accept_ms: Day | None = Field(
        None,
        description="Milliseconds until a request is accepted: what needs no token is sent then.",
    )
    ttft_ms: TimesSection | None = Field(
        None, description="Time to first token in milliseconds: a number or a distribution."
    )
    ttft_mean_ms: Day | None = Field(None, description="Time to first token in milliseconds: mean.")
    ttft_stddev_ms: Day | None = Field(
        None, description="Time to first token in milliseconds: standard deviation."
    )
    ttft_overhead_ms: TimesSection | None = Field(
        None,
        description="In place of ttft_ms: the time to first token without the first step, which "
        "takes one inter-token latency.",
    )
    prefill_ms_per_token: Day | None = Field(
        None, description="Milliseconds for each token of the prompt that no cache held."
    )
    reasoning_ms_per_token: Day | None = Field(
        None,
        description="Milliseconds for each token of reasoning that is not shown. Default: the mean "
        "inter-token latency.",
    )
    itl_ms: TimesSection | None = Field(
        None, description="Inter-token latency in milliseconds: a number or a distribution."
    )
    itl_mean_ms: Day | None = Field(None, description="Inter-token latency in milliseconds: mean.")
    itl_stddev_ms: Day | None = Field(
        None, description="Inter-token latency in milliseconds: standard deviation."
    )
    tbt_mean_ms: Day | None = Field(None, description="The same as itl_mean_ms.")
    tbt_stddev_ms: Day | None = Field(None, description="The same as itl_stddev_ms.")
    distribution: Annotated[Moments, Words(MOMENTS)] | None = Field(
        None,
        description="How times with a mean and a deviation are distributed; `normal` is truncated "
        "at 0.",
    )
    load: LoadSection | None = Field(
        None,
        description="How latency depends on what else the model's replicas do. Default: not at "
        "all.",
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        for alias, name in ALIASES.items():
            if getattr(self, alias) is not None and getattr(self, name) is not None:
                yield Problem(alias, f"is another name of {name}, which is set, too", (name,))
        for name, others in EXCLUSIVE:
            for other in others:
                if getattr(self, name) is not None and getattr(self, other) is not None:
                    yield Problem(other, f"excludes {name}", (name,))
        if "profile" not in present and not present.isdisjoint(TIMES):
            if self._none("ttft_ms", "ttft_overhead_ms", "ttft_mean_ms", "prefill_ms_per_token"):
                yield Problem("ttft_mean_ms", MISSING_TTFT)
            if self._none("itl_ms", "itl_mean_ms", "tbt_mean_ms"):
                yield Problem("itl_mean_ms", MISSING_ITL, ("tbt_mean_ms",))
        rule = self.part(LatencyRuleSection).build()
        try:
            for own in PRESETS.values():
                rule.on(own)
        except ValueError:
            yield Problem("distribution", IMPOSSIBLE, (*TIMES, "profile"))
        else:
            yield from _problems_of_load(rule)

    def _none(self, *names: str) -> bool:
        return all(getattr(self, name) is None for name in names)

    def build(self) -> LatencyRule:
        values: dict[str, Any] = {}
        for name, attribute in _WRITTEN.items():
            value = getattr(self, name)
            for alias, of in ALIASES.items():
                if of == name and value is None:
                    value = getattr(self, alias)
            if isinstance(value, TimesSection | LoadSection):
                values[attribute] = value.build()
            else:
                values[attribute] = seconds(value) if isinstance(value, float | int) else value
        complete = not self._none(*TIMES) and "profile" not in self.model_fields_set
        if complete:
            values["profile"] = None
            if self._none(*TTFT):
                values["ttft_overhead"] = NOTHING
        return LatencyRule(**values)

    @classmethod
    def write(cls, value: LatencyRule) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for name, attribute in _WRITTEN.items():
            member = getattr(value, attribute)
            if isinstance(member, Distribution):
                written[name] = TimesSection.write(member)
            elif isinstance(member, Load):
                written[name] = LoadSection.write(member)
            elif member is not None:
                written[name] = plain(millis(member) if isinstance(member, float) else member)
        return written


def _problems_of_load(rule: LatencyRule) -> Problems:
    """What is wrong with a load model beside an inter-token latency that is known."""
    if rule.load is None or rule.profile == AUTO:
        return
    alone, at = rule.on(PRESETS["instant"]).itl, rule.load.itl_at
    if alone.kind in MOMENTS and not alone.mean:
        yield Problem("load", NO_STEP, (*ITL, "profile"))
    elif at is not None and at[1] < alone.mean:
        yield Problem("load", FASTER, (*ITL, "profile"))


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
        default = self.part(LatencyRuleSection).build()
        return Latency(default, tuple((name, one.build()) for name, one in self.models.items()))

    @classmethod
    def write(cls, value: Any) -> dict[str, Any]:
        written = LatencyRuleSection.write(value.default)
        if value.models:
            rules = {name: LatencyRuleSection.write(rule) for name, rule in value.models}
            written["models"] = rules
        return written
