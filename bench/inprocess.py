"""What a plain answer costs between its body and its reply: the worker's own code, without
Granian, sockets and a load generator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench.configured import ERRORS, KEYS, LIMITS, MANY, RULES, TOKENS
from bench.report import Cell, Column
from bench.server import write_config
from bench.wire import BODIES, FRESH, WIRES
from llmsim.config import load
from llmsim.core import Headers
from llmsim.providers.provider import Endpoint
from llmsim.providers.registry import PROVIDERS
from llmsim.runtime.holder import ConfigHolder
from llmsim.runtime.store import ConfigStore
from llmsim.server.handler import RequestHandler
from llmsim.server.pipeline_state import pipeline_state
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.transport.scheduler import Scheduler

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain, small": ("small", {}),
    "plain, 20 KB": ("20 KB", {}),
    "plain, 20 KB, new last message": ("20 KB, new last message", {}),
    "strict": ("small", {"validation": "strict"}),
    "keys": ("small", KEYS),
    "errors by rate": ("small", ERRORS),
    "limits": ("small", LIMITS),
    "2 mocks": ("small", RULES),
    "1,000 mocks": ("small", MANY),
    "details of every request": ("small", {"journal": {"details_per_second": 1_000_000}}),
    "keys, errors, mocks, limits": ("small", KEYS | ERRORS | RULES | LIMITS),
}
"""What is measured: a body, and what is configured beside an instant latency."""


class MemoryPort:
    """A request whose body is at hand, and a reply that goes nowhere.

    What Granian itself does is left out; it calls the same methods.
    """

    method = "POST"
    path = "/v1/chat/completions"
    scheme = "http"
    query = ""

    __slots__ = ("_body", "_headers", "status")

    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        self._body = body
        self._headers = headers
        self.status = 0

    def header(self, name: str) -> str | None:
        return self._headers.get(name)

    def names(self) -> list[str]:
        return list(self._headers)

    def arrived(self, begun: int, read: int, waits: bool) -> int:
        return begun

    async def body(self, limit: int) -> bytes:
        return self._body

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status

    def open(self, status: int, headers: Headers) -> Any:
        raise AssertionError("a plain answer opens no body")

    def connection(self) -> tuple[str, str] | None:
        return None

    async def left(self) -> None:
        raise AssertionError("a plain answer does not wait")

    socket = None

    def unread(self) -> int:
        return 0

    def peer(self) -> Any:
        raise AssertionError("a plain answer breaks no connection")


@dataclass(frozen=True, slots=True)
class InProcess:
    """``rounds`` turns of ``requests`` for each of ``cases``, the cases taking turns."""

    cases: Sequence[str]
    rounds: int
    requests: int
    control: ClassVar[bool] = False
    columns: ClassVar[Sequence[Column]] = (
        Column("case", "case"),
        Column("cpu_us", "µs CPU", 1),
        Column("least_us", "least", 1),
        Column("ratio", "ratio", 2),
    )
    notes: ClassVar[Sequence[str]] = (
        "CPU µs per request from the handler's call to its reply: the median and the least over "
        "the rounds, the ratio (to the first case) the median of the rounds' own ratios.",
    )

    def run(self) -> Sequence[Mapping[str, Cell]]:
        return asyncio.run(self._run())

    async def _run(self) -> Sequence[Mapping[str, Cell]]:
        with ExitStack() as stack:
            answering = {case: _worker(*CASES[case], stack) for case in self.cases}
            for answer in answering.values():
                await _measure(answer, self.requests)
            rounds = [
                {case: await _measure(one, self.requests) for case, one in answering.items()}
                for _ in range(self.rounds)
            ]
        first = self.cases[0]
        return [
            {
                "case": case,
                "cpu_us": median(one[case] for one in rounds),
                "least_us": min(one[case] for one in rounds),
                "ratio": median(one[case] / one[first] for one in rounds),
            }
            for case in self.cases
        ]


def _worker(body: str, settings: dict[str, Any], stack: ExitStack) -> Callable[[], Any]:
    """What answers one request of a worker that is configured so."""
    plain = {
        "latency": {"profile": "instant"},
        "response": {"generator": "lorem", "target_tokens": TOKENS},
        "server": {"workers": 1, "journal_mb": 4},
        # So many a second are next to nothing, but much of a round that takes as long as that.
        "journal": {"details_per_second": 0},
    }
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="llmsim-bench-")))
    config = load(str(write_config(folder, "inprocess", plain | settings)), {}, {})
    shared = SharedState(new_segment(config))
    store = ConfigStore(config, shared.segment, str(folder))
    holder = ConfigHolder(shared, store, pipeline_state(shared))
    scheduler = Scheduler(asyncio.get_running_loop(), shared.counters)
    handler = RequestHandler(config, holder, scheduler, shared)
    endpoint = _endpoint(MemoryPort.path, config.validation == "strict")
    head, _, content = (
        WIRES["openai_chat"].request(BODIES[body](), TOKENS, stream=False).partition(b"\r\n\r\n")
    )
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])

    numbers = count()

    async def answer() -> None:
        fresh = b"%08d" % next(numbers) if FRESH in content else b""
        port = MemoryPort(content.replace(FRESH, fresh) if fresh else content, headers)
        await handler.answer(port, endpoint)
        assert port.status == 200, port.status

    return answer


def _endpoint(path: str, strict: bool) -> Endpoint:
    return next(
        endpoint
        for provider in PROVIDERS
        for endpoint in provider.endpoints(strict)
        if path in endpoint.paths
    )


async def _measure(answer: Callable[[], Any], requests: int) -> float:
    """CPU µs per request."""
    began = time.process_time()
    for _ in range(requests):
        await answer()
    return (time.process_time() - began) / requests * 1e6
