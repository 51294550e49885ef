"""What can go wrong in the middle of an answer.

Where a fault strikes is set in tokens or as a share of all the answer's tokens. ``rate`` is the
share of requests, from 0 to 1, that it happens to.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from llmsim.core.errors import FailureKind


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """Where a fault strikes: after so many tokens or that share of them; None where the fault
    has its own place."""

    after_tokens: int | None = None
    after_fraction: float | None = None

    def share(self, otherwise: float) -> FaultPoint:
        """The same, or after the share ``otherwise`` where nothing is set."""
        if self.after_tokens is None and self.after_fraction is None:
            return FaultPoint(after_fraction=otherwise)
        return self

    def tokens(self, total: int) -> int:
        """After how many tokens of ``total``."""
        if self.after_tokens is not None:
            return self.after_tokens
        return int((self.after_fraction or 0.0) * total)


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection closes in the middle of the body, without what ends it."""

    rate: float = 0.0
    after: FaultPoint = FaultPoint()


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing comes for ``lasts`` seconds, then the rest."""

    rate: float = 0.0
    after: FaultPoint = FaultPoint()
    lasts: float = 10.0


@dataclass(frozen=True, slots=True)
class Trickle:
    """All after the first token comes ``factor`` times as slowly; with ``bytes`` set, no more
    than that many bytes every ``every`` seconds."""

    rate: float = 0.0
    factor: float = 10.0
    bytes: int | None = None
    every: float = 0.05


@dataclass(frozen=True, slots=True)
class Malformed:
    """One frame is no valid JSON; what follows is as it should be."""

    rate: float = 0.0
    after: FaultPoint = FaultPoint()


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset (TCP RST): without a place, before the first byte."""

    rate: float = 0.0
    after: FaultPoint = FaultPoint()


@dataclass(frozen=True, slots=True)
class Unterminated:
    """The stream ends in good order, but without its last event."""

    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The provider's own error event takes the place of the rest of a stream. ``kind`` is the
    value of a :class:`~llmsim.core.errors.FailureKind`."""

    rate: float = 0.0
    after: FaultPoint = FaultPoint()
    kind: str = FailureKind.OVERLOADED.value


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """The provider's filter ends the answer after its first words."""

    rate: float = 0.0


Fault: TypeAlias = (
    Cut | Stall | Trickle | Malformed | Reset | Unterminated | ErrorEvent | ContentFilter
)


@dataclass(frozen=True, slots=True)
class FaultSet:
    """Each fault, None where it does not happen."""

    cut: Cut | None = None
    stall: Stall | None = None
    trickle: Trickle | None = None
    malformed: Malformed | None = None
    reset: Reset | None = None
    unterminated: Unterminated | None = None
    error_event: ErrorEvent | None = None
    content_filter: ContentFilter | None = None

    def each(self) -> tuple[Fault, ...]:
        """Those that happen, in the order of the fields."""
        found = (getattr(self, field.name) for field in fields(self))
        return tuple(fault for fault in found if fault is not None)


NO_FAULTS: Final = FaultSet()
