"""The ``errors`` and ``timetable`` sections: which calls fail on purpose, and when."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Final, TypeAlias, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from llmsim.config.schema.faults import FaultSetSection
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Each, Section, subsection
from llmsim.config.schema.values import Count, Hour, Kind, Line, Number, Share, Status, Words, unfit
from llmsim.core.injection import SHARES, ErrorInjection, ErrorRates, ErrorRule, RequestPattern
from llmsim.core.timetable import Ramp, TimetableEntry

# Rates are sums of decimals: 0.1 ten times is a little less or more than 1.
ROUNDING: Final = 1e-9
CERTAIN: Final = ("kind", "status", "fault")

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LATEST: Final = 30 * 86400.0
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")


def _time(value: Any) -> float:
    """A time in seconds, or with a unit: ``90``, ``90s``, ``1.5m``."""
    found = None if isinstance(value, bool | list | dict) else _TIME.fullmatch(str(value))
    seconds = float(found[1]) * UNITS[found[2] or "s"] if found else -1.0
    if not 0 <= seconds <= LATEST:
        raise unfit("a time such as 90, 90s, 3m or 1.5h, up to 720h")
    return seconds


Time: TypeAlias = Annotated[
    float,
    BeforeValidator(_time),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": int(LATEST)},
                {"type": "string", "pattern": f"^{_TIME.pattern}$"},
            ]
        }
    ),
]


class RequestPatternSection(Section, of=RequestPattern):
    """Which requests are meant."""

    model: Line = Field("*", description="Shell pattern of the model's name: `gpt-4*`.")
    endpoint: Line = Field("*", description="Shell pattern of the path: `/v1/messages`.")
    dialect: Line = Field("*", description="Shell pattern of the API: `openai_*`, `anthropic`.")


class ErrorRatesSection(Section, of=ErrorRates):
    """Shares of requests, from 0 to 1, that fail in each way; together at most 1."""

    rate_limit_rate: Share = Field(0.0, description="Share of requests that are throttled (429).")
    server_error_rate: Share = Field(0.0, description="Share of requests that get a 500.")
    timeout_rate: Share = Field(0.0, description="Share of requests that time out (504).")
    timeout_after_ms: Hour = Field(
        30_000.0, description="Milliseconds from a request to the answer of a timeout."
    )
    overloaded_rate: Share = Field(
        0.0, description="Share of requests that find the provider overloaded."
    )
    bad_gateway_rate: Share = Field(0.0, description="Share of requests that get a 502.")
    authentication_rate: Share = Field(
        0.0, description="Share of requests whose API key is refused."
    )
    retry_after_ms: Hour = Field(
        1000.0,
        description="Milliseconds that throttled clients are asked to wait; most headers "
        "round up to seconds.",
    )
    faults: FaultSetSection = subsection(
        FaultSetSection, "Faults in the middle of answers, each with its rate."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        total = self.part(ErrorRatesSection).build().total
        if total > 1 + ROUNDING:
            set_here = [name for name in (*SHARES, "faults") if name in present]
            message = f"the rates add up to {total:.12g}, which is more than 1"
            yield Problem(set_here[-1], message, tuple(set_here))


class ErrorRuleSection(ErrorRatesSection, RequestPatternSection, of=ErrorRule):
    """What happens to requests that match: to the `first` N of them, to every N-th (`every`), or to
    all. The others have the rates here."""

    flat: ClassVar = {"match": RequestPatternSection, "rates": ErrorRatesSection}

    first: Count | None = Field(None, description="Only the first N requests that match.")
    every: Count | None = Field(None, description="Only every N-th request that matches.")
    kind: Kind | None = Field(None, description="These requests fail with an error of this kind.")
    status: Status | None = Field(None, description="These requests fail with this status.")
    fault: FaultSetSection | None = Field(
        None,
        description="The answers to these requests have this fault: one fault, without its rate.",
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        yield from super().problems(present, info)
        certain = [name for name in CERTAIN if name in present]
        if len(certain) > 1:
            yield Problem(certain[1], f"excludes {certain[0]}", tuple(certain))
        if self.first is not None and self.every is not None:
            yield Problem("every", "excludes first", ("first",))
        if not certain:
            for name in ("first", "every"):
                if name in present:
                    yield Problem(name, f"needs one of {', '.join(CERTAIN)}: what happens to them")
        faults = self.fault.build().each() if self.fault is not None else ()
        if self.fault is not None and len(faults) != 1:
            yield Problem("fault", f"must name one fault, not {len(faults)}")
        elif any(fault.rate for fault in faults):
            yield Problem("fault", "has no rate: it happens to every request that is counted")


class ErrorInjectionSection(ErrorRatesSection, of=ErrorInjection):
    """Which requests fail on purpose. The first rule that matches a request decides about it; the
    rates here are for requests that no rule matches."""

    flat: ClassVar = {"rates": ErrorRatesSection}

    rules: Annotated[tuple[ErrorRuleSection, ...], Each()] = Field(
        (), description="Rules for some requests. The first rule that matches applies."
    )


class TimetableEntrySection(ErrorRatesSection, RequestPatternSection, of=TimetableEntry):
    """What happens to the requests that match, between two times."""

    flat: ClassVar = {"match": RequestPatternSection, "rates": ErrorRatesSection}

    from_: Time = Field(
        0.0, description="When it begins, from the server's start: 90, 90s, 3m or 1.5h."
    )
    to: Time | None = Field(None, description="When it ends. Default: never.")
    kind: Kind | None = Field(
        None, description="All these requests fail with an error of this kind."
    )
    status: Status | None = Field(None, description="All these requests fail with this status.")
    itl_factor: Annotated[float, Number(0, 1000)] = Field(
        1.0, description="Factor on the time between tokens."
    )
    ttft_factor: Annotated[float, Number(0, 1000)] = Field(
        1.0, description="Factor on the time to first token."
    )
    ramp: Annotated[Ramp, Words(get_args(Ramp))] = Field(
        "none", description="Whether rates and factors rise from no effect, or fall to it."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        yield from super().problems(present, info)
        if self.to is not None and self.to <= self.from_:
            yield Problem("to", "must be later than from", ("from",))
        if self.to is None and self.ramp != "none":
            yield Problem("ramp", "needs an end: set to", ("to",))
        if self.kind is not None and self.status is not None:
            yield Problem("status", "excludes kind", ("kind",))
        sure = [name for name in ("kind", "status") if getattr(self, name) is not None]
        if sure and self.part(ErrorRatesSection).build().total:
            yield Problem(sure[0], "happens to all requests and excludes rates")
