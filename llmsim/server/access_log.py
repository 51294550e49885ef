"""The access log: a line per request, written by a thread of its own.

The event loop only puts an entry into a queue. A full queue drops entries and counts them, and so
does one that cannot be written: a log that nobody reads must not slow the answers down.
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
from llmsim.pipeline.context import Call
from llmsim.server.journal.recorder import Recorders
from llmsim.server.lifecycle import CLIENT_GONE, RequestLifecycle
from llmsim.state.shm.journal import NOWHERE, Journal
from llmsim.state.shm.layout import DROPPED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.telemetry.logs import line, renderer

MAX_WAITING = 20_000  # entries that may wait to be written
PERIOD = 0.1  # seconds between two writes
BATCH = 16  # lines rendered before the event loop gets its turn
MAX_WRITE = 4096  # bytes a pipe takes in one piece, from several writers (PIPE_BUF)
MAX_PROMPT = 16_384  # bytes of a request body that a line has room for


class LogEntry(NamedTuple):
    """What one line says. ``arrived`` is Unix time, ``first`` and ``end`` are seconds after it,
    ``first`` that of the first token and negative if there was none; ``tokens`` are prompt,
    completion, reasoning and cached tokens."""

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
    prompt: bytes | None


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
        self._due = 0.0
        self._counters = counters
        self._write = write
        self._render = renderer(config.format)
        self._waiting: deque[LogEntry] = deque()
        self._stopped = threading.Event()
        self._writer = threading.Thread(target=self._run, name="access-log", daemon=True)

    def start(self) -> None:
        """Write from now on."""
        self._writer.start()

    def stop(self) -> None:
        """Write what waits, and nothing after that."""
        self._stopped.set()
        self._writer.join(1.0)

    def wants(self, status: int) -> bool:
        """Whether a request with that status gets a line: every error does, and of the others
        the configured share, evenly spread."""
        if status >= 400:
            return True
        self._due += self._share
        if self._due < 1.0:
            return False
        self._due -= 1.0
        return True

    def put(self, entry: LogEntry) -> None:
        """Have a line written."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(entry)
        else:
            self._counters.cells[DROPPED] += 1

    def write(self) -> None:
        """Write all that waits."""
        lines = b""
        for rendered in self._lines():
            if lines and len(lines) + len(rendered) > MAX_WRITE:
                self._write_lines(lines)
                lines = b""
            lines += rendered
        if lines:
            self._write_lines(lines)

    def _write_lines(self, lines: bytes) -> None:
        try:
            self._write(lines)
        except OSError:  # a full disk, a pipe without a reader
            self._counters.cells[DROPPED] += lines.count(b"\n")

    def _lines(self) -> Iterator[bytes]:
        rendered = 0
        while self._waiting:
            entry = self._waiting.popleft()
            at = entry.arrived + entry.end
            text = line(self._render, level(entry.status), at, "request", fields_of(entry))
            yield text.encode(errors="replace") + b"\n"
            rendered += 1
            if rendered % BATCH == 0:
                time.sleep(0)

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            self.write()
        self.write()


class LoggedLifecycle(RequestLifecycle):
    """A request that gets a line in the access log."""

    __slots__ = ("_log", "_prompt")

    def __init__(
        self,
        log: AccessLog,
        endpoint: str,
        counters: WorkerCounters,
        journal: Journal,
        recorders: Recorders | None = None,
    ) -> None:
        super().__init__(endpoint, counters, journal, recorders)
        self._log = log
        self._prompt: bytes | None = None

    def planned(self, call: Call, plan: Plan, answer: bytes = b"", place: int = NOWHERE) -> None:
        if self._log.prompts:
            self._prompt = call.body[:MAX_PROMPT]
        super().planned(call, plan, answer, place)

    def _finish(self, status: int, first: float, end: float, lateness: float, sent: int) -> None:
        if self.finished:
            return
        super()._finish(status, first, end, lateness, sent)
        if self._log.wants(status):
            self._log.put(
                LogEntry(
                    self.mark,
                    self.endpoint,
                    self.model,
                    status,
                    self.arrived,
                    self.streamed,
                    self.ttft,
                    end,
                    lateness,
                    self.tokens,
                    self.failure if status != CLIENT_GONE else None,
                    self._prompt,
                )
            )


def lifecycle_class(
    log: AccessLog | None,
) -> Callable[[str, WorkerCounters, Journal, Recorders | None], RequestLifecycle]:
    """The constructor of requests: without a log, requests know nothing of one."""
    return RequestLifecycle if log is None else partial(LoggedLifecycle, log)


def level(status: int) -> str:
    """The log level for a status."""
    return "info" if status < 400 else "warning" if status < 500 else "error"


def fields_of(entry: LogEntry) -> dict[str, Any]:
    """A line's fields by name; times in milliseconds."""
    fields: dict[str, Any] = {
        "request_id": entry.request,
        "endpoint": entry.endpoint,
        "model": entry.model,
        "status": entry.status,
        "stream": entry.streamed,
        "ttft_ms": round(entry.first * 1e3, 3) if entry.first >= 0 else None,
        "duration_ms": round(entry.end * 1e3, 3),
        "lateness_ms": round(entry.lateness * 1e3, 3),
        "prompt_tokens": entry.tokens[0],
        "completion_tokens": entry.tokens[1],
    }
    if entry.failure is not None:
        fields["error"] = entry.failure.kind.value
        fields["injected"] = entry.failure.injected
    if entry.prompt is not None:
        fields["asked"] = entry.prompt.decode(errors="replace")
    return fields
