"""How far a piece of work has come that a server does for a client: a run, a turn.

It follows from the times that were planned when the work began, from what was done to it since,
and from the time now. So any process can tell it, and the work goes on to its planned end
whether anybody looks or not::

    queued ─▶ in_progress ─▶ completed | incomplete | failed
      ▲            │
      │ resumed    ▼
      └─── requires_action ─▶ expired

    queued | in_progress | requires_action ─▶ cancelling ─▶ cancelled

Times are Unix times in seconds.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from msgspec import Struct, structs

Outcome: TypeAlias = Literal["completed", "incomplete", "failed", "requires_action"]
"""How a stretch of work ends by itself."""

Status: TypeAlias = Literal[
    "queued",
    "in_progress",
    "requires_action",
    "cancelling",
    "cancelled",
    "failed",
    "completed",
    "incomplete",
    "expired",
]

ACTIVE: Final[frozenset[Status]] = frozenset(
    ("queued", "in_progress", "requires_action", "cancelling")
)
"""What is not over yet."""

CANCELLING: Final = 0.05
"""Seconds that cancelled work takes to stop."""


class Stretch(Struct, frozen=True):
    """Work without a pause: when it was asked for, when it is taken up, when it ends, and how."""

    began: float
    starts: float
    ends: float
    outcome: Outcome


class Moment(Struct, frozen=True):
    """A status, and since when it is that."""

    status: Status
    since: float

    @property
    def active(self) -> bool:
        """Whether the work is not over yet."""
        return self.status in ACTIVE


class Progress(Struct, frozen=True):
    """All that decides about the status of a piece of work.

    Every stretch but the last one ended in ``requires_action``, and the next one began when what
    was required came. ``patience`` is how many seconds it may take to come, ``cancelled`` when
    the work was cancelled.
    """

    stretches: tuple[Stretch, ...]
    patience: float
    cancelled: float | None = None

    def at(self, now: float) -> Moment:
        """How far the work has come."""
        moment = self._undisturbed(now)
        if self.cancelled is None or now < self.cancelled:
            return moment
        stopped = self.cancelled + CANCELLING
        if now < stopped:
            return Moment("cancelling", self.cancelled)
        return Moment("cancelled", stopped)

    def changes(self, now: float) -> float | None:
        """When the status will change next if nothing is done to the work; None for never."""
        moment = self.at(now)
        latest = self.stretches[-1]
        match moment.status:
            case "queued":
                return latest.starts
            case "in_progress":
                return latest.ends
            case "requires_action":
                return latest.ends + self.patience
            case "cancelling":
                return moment.since + CANCELLING
        return None

    def stopped(self, now: float) -> float | None:
        """When the work was stopped before it had come to its end by itself; None if it was not.

        Waiting in vain for what is required is an end of that kind.
        """
        if self.cancelled is not None and now >= self.cancelled:
            return self.cancelled
        moment = self._undisturbed(now)
        return moment.since if moment.status in ("expired", "failed") else None

    def cancel(self, now: float) -> Progress | None:
        """The same work, cancelled now; None where that is too late."""
        moment = self.at(now)
        if not moment.active or moment.status == "cancelling":
            return None
        return structs.replace(self, cancelled=now)

    def _undisturbed(self, now: float) -> Moment:
        """How far the work has come where nobody cancels it."""
        latest = self.stretches[-1]
        if now < latest.starts:
            return Moment("queued", latest.began)
        if now < latest.ends:
            return Moment("in_progress", latest.starts)
        expires = latest.ends + self.patience
        if latest.outcome == "requires_action" and now >= expires:
            return Moment("expired", expires)
        return Moment(latest.outcome, latest.ends)
