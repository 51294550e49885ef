"""What can go wrong in the middle of an answer: one mapping a fault, each with its rate.

Where a fault strikes is told in tokens or as a share of all the answer's tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Final, TypeAlias

from llmsim.config.containers import Maybe
from llmsim.config.kinds import Kind as Valued
from llmsim.config.kinds import Millis, Number, OneOf, Whole
from llmsim.config.record import Flat, Given, Record
from llmsim.core.errors import FailureKind

RATE: Final = Number(0, 1)
KINDS: Final = tuple(kind.value for kind in FailureKind)
HOUR: Final = Millis(3_600_000)

Rate: TypeAlias = Annotated[float, RATE]


@dataclass(frozen=True, slots=True)
class After:
    """Where a fault strikes: after so many tokens or that share of them; None where the fault
    has its own place."""

    after_tokens: Annotated[int | None, Maybe(Whole(0, 1_000_000))] = None
    after_fraction: Annotated[float | None, Maybe(Number(0, 1))] = None

    def checked(self, given: Given) -> After:
        if self.after_tokens is not None and self.after_fraction is not None:
            given.fault("after_fraction", "excludes after_tokens", "after_tokens")
        return self

    def share(self, otherwise: float) -> After:
        """The same, or after the share ``otherwise`` where nothing is said."""
        if self.after_tokens is None and self.after_fraction is None:
            return After(after_fraction=otherwise)
        return self

    def tokens(self, total: int) -> int:
        """After how many tokens of ``total``."""
        if self.after_tokens is not None:
            return self.after_tokens
        return int((self.after_fraction or 0.0) * total)


Place: TypeAlias = Annotated[After, Flat(After)]


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection closes in the middle of the body, without what ends it."""

    rate: Rate = 0.0
    after: Place = After()


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing comes for ``lasts`` seconds, then the rest."""

    rate: Rate = 0.0
    after: Place = After()
    lasts: Annotated[float, HOUR] = 10.0


@dataclass(frozen=True, slots=True)
class Trickle:
    """All after the first token comes ``factor`` times as slowly; with ``bytes`` set, no more
    than that many bytes every ``every`` seconds."""

    rate: Rate = 0.0
    factor: Annotated[float, Number(1, 1000)] = 10.0
    bytes: Annotated[int | None, Maybe(Whole(1, 1 << 20))] = None
    every: Annotated[float, HOUR] = 0.05


@dataclass(frozen=True, slots=True)
class Malformed:
    """One frame is no valid JSON; what follows is as it should be."""

    rate: Rate = 0.0
    after: Place = After()


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset (TCP RST): without a place, before the first byte."""

    rate: Rate = 0.0
    after: Place = After()


@dataclass(frozen=True, slots=True)
class Unterminated:
    """The stream ends in good order, but without its last event."""

    rate: Rate = 0.0


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """The provider's own error event takes the place of the rest of a stream."""

    rate: Rate = 0.0
    after: Place = After()
    kind: Annotated[str, OneOf(KINDS)] = FailureKind.OVERLOADED.value


Fault: TypeAlias = Cut | Stall | Trickle | Malformed | Reset | Unterminated | ErrorEvent


def _of(kind: type[Fault]) -> Valued[Fault | None]:
    return Maybe(Record(kind))


@dataclass(frozen=True, slots=True)
class Faults:
    """Each fault, None where it does not happen."""

    cut: Annotated[Cut | None, _of(Cut)] = None
    stall: Annotated[Stall | None, _of(Stall)] = None
    trickle: Annotated[Trickle | None, _of(Trickle)] = None
    malformed: Annotated[Malformed | None, _of(Malformed)] = None
    reset: Annotated[Reset | None, _of(Reset)] = None
    unterminated: Annotated[Unterminated | None, _of(Unterminated)] = None
    error_event: Annotated[ErrorEvent | None, _of(ErrorEvent)] = None

    def each(self) -> tuple[Fault, ...]:
        """Those that happen, in the order of the fields."""
        found = (getattr(self, field.name) for field in fields(self))
        return tuple(fault for fault in found if fault is not None)


NONE: Final = Faults()
