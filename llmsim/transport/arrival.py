"""When a request arrived: as early as it was there, never earlier.

Due times count from the moment a request was whole, in this machine's kernel. llmsim itself sees
it later, by what it waits in the HTTP server's thread, for the interpreter, and in the queue of
the event loop:

    kernel ──▶ HTTP thread ──▶ handed over ──▶ handler begins ──▶ body read: planning begins
           socket, interpreter          event loop           HTTP thread, event loop

*Handed over* is known of every request. Of what was before, the kernel knows: it says how long ago
the connection last received data, in whole ticks of its own clock (4 ms at 250 Hz). Since it is
known when those ticks are, that is a span of one tick in which the data came. The arrival is the
end of that span, so nothing leaves early, unless the request was handed over by then. Where the
span says that data came after the handing over, a body trickled in, and its end is the arrival.

The kernel is asked where it can know better: when planning begins later than a calm server's does.
What it answers tells whether the server's threads are behind at all; while they are not, it is
asked once a millisecond at most, and so it is for answers without latency, whose times nobody
compares with a plan.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from llmsim.transport.sock_diag import SockDiag

CALM = 300
"""µs from handing over to planning that need no question: a calm server takes half of that."""
PAUSE = 1000
"""µs for which nothing is asked once an answer has told nothing new."""
REST = 10_000
"""µs for which nothing is asked about requests whose answers do not wait: only statistics have
their arrival."""
GRACE = 1000
"""µs by which the way of a body may take longer than that of its head, if they came together."""
LARGE = 16_384
"""Bytes of a body that does not come in one piece with its head."""
LOOKS = 1_000_000
"""Looks for a tick, more than 0.1 µs each, after which there is none to come."""
TURNS = 3
"""Ticks that are waited for to find out when they are."""

COARSE: Any = getattr(time, "CLOCK_MONOTONIC_COARSE", 6 if sys.platform == "linux" else None)
"""linux/time.h; Python does not name it."""


class Span(NamedTuple):
    """Between which times something happened: µs of the monotonic clock."""

    earliest: int
    latest: int


class Written(NamedTuple):
    """How many bytes of a connection the kernel was given, and when it last sent some."""

    bytes: int
    sent: Span


class Waypoints(NamedTuple):
    """When a request was handed over, its handler began, and its body was read: µs of the
    monotonic clock."""

    handed: int
    begun: int
    read: int

    @property
    def slow(self) -> bool:
        """Whether the body took longer than its head had, so that it may have come later."""
        return self.read - self.begun > self.begun - self.handed + GRACE


def arrival(seen: Waypoints, received: Span | None, large: bool = False) -> int:
    """When a request was whole, µs of the monotonic clock; ``received`` is when the kernel has the
    last of its data from, if it says so. Where it does not, a ``large`` body that took long counts
    as one that came later than its head, and a small one as one that came with it."""
    if received is None:
        return seen.read if large and seen.slow else seen.handed
    if received.earliest > seen.handed:
        return min(received.latest, seen.read)
    return min(received.latest, seen.handed)


class KernelTicks:
    """The ticks of the kernel's clock. The coarse clock shows the latest, but for a constant:
    ``phase`` is how late, in µs, it does so."""

    def __init__(self, grain: int, phase: int) -> None:
        self._grain = grain
        self._phase = phase

    def span(self, coarse: int, age_ms: int) -> Span:
        """When something happened that is ``age_ms`` old, whole ticks counted, at the moment at
        which the coarse clock shows ``coarse`` µs."""
        earliest = coarse + self._phase - age_ms * 1000
        return Span(earliest, earliest + self._grain)

    @classmethod
    def found(
        cls,
        coarse: Callable[[], int],
        precise: Callable[[], int],
        grain: int,
        turns: int = TURNS,
    ) -> KernelTicks:
        """Watch the coarse clock for some ticks. That is seen late rather than early, so the
        earliest is right. Raises OSError if there are none."""
        return cls(grain, min(_turn(coarse, precise) for _ in range(turns)))


def _turn(coarse: Callable[[], int], precise: Callable[[], int]) -> int:
    before = coarse()
    for _ in range(LOOKS):
        now = coarse()
        if now != before:
            return precise() - now
    raise OSError("the coarse clock stands still")


class Receipts(Protocol):
    """Says when connections received data."""

    def last(self, client: str, server: str) -> Span | None:
        """When the connection of ``client`` to ``server`` last did; None if nobody knows."""
        ...


class ArrivalClock:
    """Finds out when requests arrived; without ``receipts`` from what llmsim has seen alone."""

    def __init__(self, receipts: Receipts | None) -> None:
        self._receipts = receipts
        self._pause = self._asked_enough = 0

    def resting(self, read: int) -> bool:
        """Whether nothing would be asked for a request that was read then and whose answer does not
        wait."""
        return read < self._pause or read < self._asked_enough

    def of(
        self, seen: Waypoints, client: str, server: str, waits: bool, large: bool = False
    ) -> int:
        """When a request arrived whose data are the last that its connection brought. ``waits``
        says whether its answer does, ``large`` whether its body is."""
        pause = self._pause if waits else max(self._pause, self._asked_enough)
        if self._receipts is None or (seen.read < pause and not (waits and seen.slow)):
            return arrival(seen, None, large)
        found = arrival(seen, self._receipts.last(client, server), large)
        self._asked_enough = seen.read + REST
        if found == seen.handed:
            self._pause = seen.read + PAUSE
        return found


class KernelTimes:
    """When connections received and sent data, as the kernel of this machine says. Raises OSError
    where it does not. Finding out about its clock takes some ticks."""

    def __init__(self) -> None:
        if COARSE is None:
            raise OSError("there is no coarse clock")
        self._diag = SockDiag()
        grain = round(time.clock_getres(COARSE) * 1e6)
        self._ticks = KernelTicks.found(coarse_us, precise_us, grain)

    def last(self, client: str, server: str) -> Span | None:
        """When the connection of ``client`` to ``server`` last received data."""
        info = self._diag.ask(client, server)
        return None if info is None else self._ticks.span(coarse_us(), info.received)

    def written(self, client: str, server: str) -> Written | None:
        """How much was written to that connection, and when some of it last left."""
        info = self._diag.ask(client, server)
        if info is None:
            return None
        return Written(info.written, self._ticks.span(coarse_us(), info.sent))


def coarse_us() -> int:
    """The monotonic clock as it was at the kernel's latest tick, µs."""
    return time.clock_gettime_ns(COARSE) // 1000


def precise_us() -> int:
    """The monotonic clock, µs."""
    return time.monotonic_ns() // 1000


def kernel_times() -> KernelTimes | None:
    """What this machine's kernel says of connections; None where it does not."""
    try:
        return KernelTimes()
    except OSError:
        return None
