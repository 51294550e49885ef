"""What goes wrong in the middle of an answer: one mapping a fault, each with its rate."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo

from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section
from llmsim.config.schema.values import Hour, Kind, Number, Share, Whole
from llmsim.core.faults import (
    ContentFilter,
    Cut,
    ErrorEvent,
    FaultPoint,
    FaultSet,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)


class FaultSection(Section):
    """A fault, and how often it happens."""

    rate: Share = Field(0.0, description="Share of requests that it happens to.")


class FaultPointSection(Section, of=FaultPoint):
    """Where in the answer a fault strikes."""

    after_tokens: Annotated[int, Whole(0, 1_000_000)] | None = Field(
        None, description="It happens after this many tokens."
    )
    after_fraction: Share | None = Field(
        None, description="It happens after this share of the answer's tokens."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.after_tokens is not None and self.after_fraction is not None:
            yield Problem("after_fraction", "excludes after_tokens", ("after_tokens",))


# What stands first among the bases comes last among the keys.
class PlacedFaultSection(FaultPointSection, FaultSection):
    """A fault at one place of the answer."""

    flat: ClassVar = {"after": FaultPointSection}


class CutSection(PlacedFaultSection, of=Cut):
    """The connection closes before the body has ended; half-way, unless set."""


class StallSection(PlacedFaultSection, of=Stall):
    """Nothing is sent for a while, then the rest; half-way, unless set."""

    lasts_ms: Hour = Field(10_000.0, description="Milliseconds for which nothing is sent.")


class TrickleSection(FaultSection, of=Trickle):
    """Everything after the first token is sent slowly, or in small pieces."""

    factor: Annotated[float, Number(1, 1000)] = Field(
        10.0, description="How many times slower tokens are sent."
    )
    bytes: Annotated[int, Whole(1, 1 << 20)] | None = Field(
        None, description="At most this many bytes at a time."
    )
    every_ms: Hour = Field(50.0, description="Milliseconds between two such pieces.")


class MalformedSection(PlacedFaultSection, of=Malformed):
    """One frame is not valid JSON; half-way, unless set."""


class ResetSection(PlacedFaultSection, of=Reset):
    """The connection is reset (TCP RST); before the first byte, unless set."""


class UnterminatedSection(FaultSection, of=Unterminated):
    """The stream ends properly, but without its last event."""


class ErrorEventSection(PlacedFaultSection, of=ErrorEvent):
    """The provider's error event replaces the rest of a stream; half-way, unless set."""

    kind: Kind = Field("overloaded", description="The kind of error.")


class ContentFilterSection(FaultSection, of=ContentFilter):
    """The provider's content filter ends the answer after its first words."""


class FaultSetSection(Section, of=FaultSet):
    """Faults in the middle of answers, and how often they happen."""

    cut: CutSection | None = None
    stall: StallSection | None = None
    trickle: TrickleSection | None = None
    malformed: MalformedSection | None = None
    reset: ResetSection | None = None
    unterminated: UnterminatedSection | None = None
    error_event: ErrorEventSection | None = None
    content_filter: ContentFilterSection | None = None
