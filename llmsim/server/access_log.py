"""The access log: a line a request, written by a thread of its own.

The event loop only puts what is to be told into a queue. A queue that is full drops, and counts
what it drops: a log that nobody reads must not slow the answers down.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from llmsim.config import Logging
from llmsim.core import Plan
from llmsim.core.errors import Failure
from llmsim.server.lifecycle import CLIENT_GONE, NO_TOKENS, Endpoint, RequestLifecycle
from llmsim.state.shm.journal import Journal
from llmsim.state.shm.layout import DROPPED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.logs import line, renderer

WAITING = 20_000  # lines that may wait to be written
PERIOD = 0.1  # seconds between two looks at the queue
BATCH = 16  # lines made before the event loop gets its turn
WHOLE = 4096  # bytes a pipe takes in one piece, from several writers (PIPE_BUF)
PROMPT = 16_384  # bytes of what was asked that a line has room for


class LogEntry(NamedTuple):
    """What one line tells; times in seconds."""

    request: str
    endpoint: str
    model: str
    status: int
    arrived: float
    streamed: bool
    first: float
    end: float
    lateness: float
    tokens: tuple[int, int, int, int]
    failure: Failure | None
    asked: bytes | None


class AccessLog:
    """The access log of one worker."""

    def __init__(
        self,
        config: Logging,
        counters: WorkerCounters,
        write: Callable[[bytes], object] = lambda text: os.write(sys.stdout.fileno(), text),
    ) -> None:
        self.prompts = config.prompts
        self._share = {"all": 1.0, "errors": 0.0}.get(config.access.which, config.access.share)
        self._owed = 0.0
        self._counters = counters
        self._write = write
        self._render = renderer(config.format)
        self._waiting: deque[LogEntry] = deque()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and nothing after that."""
        self._stopped.set()
        self._thread.join(1.0)

    def wants(self, status: int) -> bool:
        """Whether a request with that status gets a line. Of those without an error every so
        many do, evenly."""
        if status >= 400:
            return True
        self._owed += self._share
        if self._owed < 1.0:
            return False
        self._owed -= 1.0
        return True

    def put(self, told: LogEntry) -> None:
        """Have a line written."""
        if len(self._waiting) < WAITING:
            self._waiting.append(told)
        else:
            self._counters.cells[DROPPED] += 1

    def write(self) -> None:
        """Write all that waits."""
        whole = b""
        for text in self._lines():
            if whole and len(whole) + len(text) > WHOLE:
                self._write(whole)
                whole = b""
            whole += text
        if whole:
            self._write(whole)

    def _lines(self) -> Iterator[bytes]:
        made = 0
        while self._waiting:
            told = self._waiting.popleft()
            at = told.arrived + told.end
            text = line(self._render, level(told.status), at, "request", fields_of(told))
            yield text.encode(errors="replace") + b"\n"
            made += 1
            if made % BATCH == 0:
                time.sleep(0)

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            self.write()
        self.write()


class LoggedLifecycle(RequestLifecycle):
    """A request that gets a line in the access log."""

    __slots__ = ("_asked", "_log")

    def __init__(
        self, log: AccessLog, endpoint: Endpoint, counters: WorkerCounters, journal: Journal
    ) -> None:
        super().__init__(endpoint, counters, journal)
        self._log = log
        self._asked: bytes | None = None

    def begin(self, planned: Plan) -> None:
        if self._log.prompts:
            self._asked = self.body[:PROMPT]
        super().begin(planned)

    def done(self, status: int, first: float, end: float, lateness: float, sent: int) -> None:
        super().done(status, first, end, lateness, sent)
        if self._log.wants(status):
            self._log.put(
                LogEntry(
                    self.mark,
                    self.endpoint.name,
                    self.model,
                    status,
                    self.arrived,
                    self.streamed,
                    first,
                    end,
                    lateness,
                    self.tokens if status != CLIENT_GONE else NO_TOKENS,
                    self.failure if status != CLIENT_GONE else None,
                    self._asked,
                )
            )


def lifecycle_class(
    log: AccessLog | None,
) -> Callable[[Endpoint, WorkerCounters, Journal], RequestLifecycle]:
    """What makes requests: without a log they know nothing of it."""
    return RequestLifecycle if log is None else partial(LoggedLifecycle, log)


def level(status: int) -> str:
    """How bad a status is."""
    return "info" if status < 400 else "warning" if status < 500 else "error"


def fields_of(told: LogEntry) -> dict[str, Any]:
    """A line's fields by name; times in milliseconds."""
    fields: dict[str, Any] = {
        "request_id": told.request,
        "endpoint": told.endpoint,
        "model": told.model,
        "status": told.status,
        "stream": told.streamed,
        "ttft_ms": round(told.first * 1e3, 3) if told.first >= 0 else None,
        "duration_ms": round(told.end * 1e3, 3),
        "lateness_ms": round(told.lateness * 1e3, 3),
        "prompt_tokens": told.tokens[0],
        "completion_tokens": told.tokens[1],
    }
    if told.failure is not None:
        fields["error"] = told.failure.kind.value
        fields["injected"] = told.failure.injected
    if told.asked is not None:
        fields["asked"] = told.asked.decode(errors="replace")
    return fields
