"""Clients that stop reading, fall too far behind or say nothing: what a worker holds for them has
to have an end.

No interface says how much of an answer has been read. The kernel knows for each connection what
it holds and how much was ever acknowledged, so a thread looks there every five seconds at least:

- A connection that holds something and for which nothing moves has *stalled*.
- HTTP/2 holds what a client has no window for above the socket, where the kernel does not see it.
  So what is sent is counted (:class:`Outflow`) and compared with what was acknowledged. Frames and
  heads are acknowledged, too, and not counted, hence the difference grows smaller the more was
  said; how far it is above the lowest it has been is at most what waits.
- A client for which more waits than it may is *behind*. That is looked at once so much was sent
  since the last look, which costs a comparison for each send.
- A connection on which hardly anything arrived is *silent*: Granian's own timeout begins only when
  it knows which HTTP is spoken. Under TLS a handshake arrives in any case, so there the clients of
  which a request came are remembered (:meth:`SlowClients.heard`).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from llmsim.transport.bounds import MINUTE, Bounds
from llmsim.transport.kernel import Clients, Held, acknowledged, drop, holding, silent

PERIOD = 5.0  # seconds between two looks, at most: each asks about every connection
LOOKS = 8  # in the time a client has, at least
SILENCES = 4  # looks for silent connections in the time they have: these look at all
READS = 4096
"""Over HTTP/2 a client reads if it acknowledges so many bytes, or all that waited: answers to its
pings are acknowledged as well."""
ANYTHING: Final = 1 << 62
"""More bytes than ever arrive."""
NOT_ASKED: Final = 1 << 62
"""A limit that is never reached: a look has been asked for."""

log = logging.getLogger("llmsim")


class ClientLimits(NamedTuple):
    """What bounds a client: seconds that it may read nothing (0: for ever), bytes that may wait for
    it, and seconds in which a request has to come on its connection to ``port``; ``tls`` says that
    it speaks TLS there."""

    stall_timeout: float
    max_unsent: int
    header_timeout: float
    port: int
    tls: bool = False


class Outflow:
    """What was sent to a client: over HTTP/1 in one stream, over HTTP/2 in one connection.

    ``sent`` are bytes of bodies. Whoever sends calls :meth:`exceeded` first if it is over
    ``limit``.
    """

    __slots__ = ("_ask", "_lowest", "client", "descriptor", "inode", "limit", "sent")

    def __init__(self, client: str, limit: int, ask: Callable[[Outflow], None]) -> None:
        self.client = client
        self.limit = limit
        self.sent = 0
        self.descriptor = self.inode = -1
        self._ask = ask
        self._lowest = 0

    def exceeded(self) -> None:
        """Have the connection looked at."""
        self.limit = NOT_ASKED
        self._ask(self)

    def waiting(self, acknowledged: int) -> int:
        """At least how many bytes wait for the client, which has acknowledged so many."""
        ahead = self.sent - acknowledged
        self._lowest = min(self._lowest, ahead)
        return ahead - self._lowest


class Stalls:
    """What the last looks at the connections found. ``timeout`` is in seconds."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout = timeout
        self._clock = clock
        self._waiting: dict[int, tuple[Held, float]] = {}

    def look(self, connections: Iterable[Held]) -> list[Held]:
        """Those of the connections that have not moved for the timeout."""
        now = self._clock()
        before, self._waiting = self._waiting, {}
        stalled = []
        for held in connections:
            mark, since = before.get(held.inode, (held, now))
            if held.acknowledged - mark.acknowledged >= mark.enough:
                mark, since = held, now
            self._waiting[held.inode] = (mark, since)
            if now - since >= self._timeout:
                stalled.append(held)
        return stalled


class SlowClients:
    """The clients of one worker. Sending is counted on its event loop, the looks are a thread's."""

    def __init__(
        self, limits: ClientLimits, bounds: Bounds, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_unsent = limits.max_unsent
        self._limits = limits
        self._bounds = bounds
        self._clock = clock
        self._stalls = Stalls(limits.stall_timeout, clock)
        self._http2: dict[str, Outflow] = {}
        self._asked: deque[Outflow] = deque()
        self._behind: deque[str] = deque()
        self._wake = threading.Event()
        self._listened = clock()
        self._heard: set[str] = set()
        self._failed = -MINUTE

    def outflow(self, scope: Any) -> Outflow:
        """Where an answer to the request of ``scope`` is to be counted."""
        client: str = scope.client
        if scope.http_version != "2":
            return Outflow(client, self.max_unsent, self._ask)
        found = self._http2.get(client)
        if found is None:
            found = self._http2[client] = Outflow(client, self.max_unsent, self._ask)
        return found

    def heard(self, client: str) -> None:
        """A request of ``client`` came; to be called under TLS."""
        self._heard.add(client)

    def behind(self, client: str) -> None:
        """Disconnect ``client`` (``host:port``), for whom more waits than may."""
        self._behind.append(client)
        self._wake.set()

    def watch(self) -> None:
        """Look at the connections from now on."""
        if sys.platform != "linux":
            log.warning("only Linux tells of slow clients: they may stall for ever")
            return
        threading.Thread(target=self._watch, name="slow-clients", daemon=True).start()

    def _ask(self, outflow: Outflow) -> None:
        self._asked.append(outflow)
        self._wake.set()

    def _watch(self) -> None:
        limits = self._limits
        pause = min(PERIOD, (limits.stall_timeout or PERIOD * LOOKS) / LOOKS)
        pause = min(pause, limits.header_timeout / SILENCES)
        while True:
            self._wake.wait(pause)
            self._wake.clear()
            try:
                self.look()
            except Exception:  # the next look may do better
                if self._clock() - self._failed >= MINUTE:
                    self._failed = self._clock()
                    log.exception("could not look for slow clients")

    def look(self) -> None:
        """Disconnect the clients that have to go."""
        clients = Clients()
        self._drop_behind(clients)
        if self._limits.stall_timeout:
            held = {one.inode: one for one in (*holding(), *self._held_above(clients))}
            for one in self._stalls.look(held.values()):
                if drop(one.descriptor, one.inode):
                    self._bounds.reached(
                        "stall_timeout_ms", "a client that read nothing is disconnected"
                    )
        else:
            self._forget_closed(clients)
        now = self._clock()
        if now - self._listened >= self._limits.header_timeout / SILENCES:
            self._listened = now
            for descriptor, inode in self._silent():
                if drop(descriptor, inode):
                    self._bounds.reached(
                        "header_timeout_ms", "a connection without a request is closed"
                    )

    def _silent(self) -> Iterator[tuple[int, int]]:
        timeout, port, tls = self._limits.header_timeout, self._limits.port, self._limits.tls
        if not tls:
            yield from silent(timeout, port)
            return
        # Those that connect after this copy is made have said something a moment ago.
        heard, clients = self._heard.copy(), Clients()
        found = {client: clients.find(client) for client in heard}
        self._heard.difference_update(client for client, (one, _) in found.items() if one < 0)
        known = set(found.values())
        yield from (one for one in silent(timeout, port, ANYTHING) if one not in known)

    def _drop_behind(self, clients: Clients) -> None:
        while self._behind:
            self._drop_one_behind(*clients.find(self._behind.popleft()))
        while self._asked:
            outflow = self._asked.popleft()
            acknowledged = _acknowledged(outflow, clients)
            waiting = 0 if acknowledged is None else outflow.waiting(acknowledged)
            if waiting > self.max_unsent:
                self._drop_one_behind(outflow.descriptor, outflow.inode)
            else:
                outflow.limit = outflow.sent + self.max_unsent - waiting

    def _drop_one_behind(self, descriptor: int, inode: int) -> None:
        if drop(descriptor, inode):
            self._bounds.reached(
                "max_unsent_bytes", "a client for which too much waits is disconnected"
            )

    def _held_above(self, clients: Clients) -> Iterator[Held]:
        """The HTTP/2 connections for which something waits, wherever."""
        for client, outflow in list(self._http2.items()):
            acknowledged = _acknowledged(outflow, clients)
            if acknowledged is None:
                del self._http2[client]
            elif waiting := outflow.waiting(acknowledged):
                enough = min(waiting, READS)
                yield Held(outflow.descriptor, outflow.inode, acknowledged, enough)

    def _forget_closed(self, clients: Clients) -> None:
        for _ in self._held_above(clients):
            pass


def _acknowledged(outflow: Outflow, clients: Clients) -> int | None:
    """How many bytes the client of a connection ever acknowledged; None if it is closed."""
    if outflow.descriptor < 0:
        outflow.descriptor, outflow.inode = clients.find(outflow.client)
    return acknowledged(outflow.descriptor, outflow.inode)
