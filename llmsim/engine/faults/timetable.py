"""What the timetable says about a request at one moment of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from llmsim.core.timetable import TimetableEntry
from llmsim.engine.faults.injection import SCHEDULED, Odds, Outcome, certain, odds
from llmsim.engine.seeds import fraction


class ActiveEntry(Struct, frozen=True):
    """The entry in effect for a request: the chances of going wrong, all of them times ``scale``,
    what happens for ``certain`` (with the probability ``scale``), and the factors on the gaps
    between tokens and on the time to first token."""

    odds: Odds
    certain: Outcome | None
    scale: float
    pace: float
    delay: float

    def outcome(self, seed: int) -> Outcome | None:
        """What happens to the request of that seed."""
        if self.certain is not None:
            return self.certain if fraction(seed, SCHEDULED) < self.scale else None
        return self.odds.outcome(seed, SCHEDULED, self.scale)


class Timetable:
    """The entries, compiled once."""

    def __init__(self, entries: Sequence[TimetableEntry]) -> None:
        self._entries = [(entry, odds(entry.rates), certain(entry)) for entry in entries]

    def at(self, elapsed: float, model: str, endpoint: str, dialect: str) -> ActiveEntry | None:
        """The first entry in effect ``elapsed`` seconds after the start; None if none is."""
        for entry, chances, sure in self._entries:
            if _in_effect(entry, elapsed) and entry.match.matches(model, endpoint, dialect):
                scale = _scale(entry, elapsed)
                pace = 1 + (entry.itl_factor - 1) * scale
                delay = 1 + (entry.ttft_factor - 1) * scale
                return ActiveEntry(chances, sure, scale, pace, delay)
        return None


def _in_effect(entry: TimetableEntry, elapsed: float) -> bool:
    return entry.from_ <= elapsed and (entry.to is None or elapsed < entry.to)


def _scale(entry: TimetableEntry, elapsed: float) -> float:
    """How much of the entry counts, from 0 to 1: all of it but for ramps."""
    if entry.ramp == "none" or entry.to is None:
        return 1.0
    done = (elapsed - entry.from_) / (entry.to - entry.from_)
    return done if entry.ramp == "up" else 1.0 - done
