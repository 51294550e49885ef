"""What a plain answer costs once limits, failures, mocks and keys are configured, or in a scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench.client import ClientError
from bench.report import Cell, Column
from bench.server import Server, free_port, llmsim, running, write_config
from bench.wire import BODIES, WIRES
from bench.wrk import run_wrk

CONNECTIONS = 64
TOKENS = 100
MOCKS = 1000

PLENTY = 1_000_000_000
KEYS: dict[str, Any] = {"keys": ["sk-bench"]}
ERRORS: dict[str, Any] = {"errors": {"rate_limit_rate": 1e-9, "server_error_rate": 1e-9}}
LIMITS: dict[str, Any] = {
    "rate_limits": [
        {"key": "*", "model": "*", "requests_per_minute": PLENTY, "tokens_per_minute": PLENTY}
    ]
}
RULES: dict[str, Any] = {
    "mocks": [
        {"match": {"content_contains": "weather"}, "response": {"content": "Sunny, 72°F."}},
        {
            "match": {"model": "gpt-4", "system_contains": "json"},
            "priority": 10,
            "response": {"content": '{"result": "mocked"}'},
        },
    ]
}
MANY: dict[str, Any] = {
    "mocks": [
        {"match": {"content_contains": f"topic number {number}"}, "response": {"content": "mocked"}}
        for number in range(MOCKS)
    ]
}
SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "keys": KEYS,
    "errors by rate": ERRORS,
    "2 mocks": RULES,
    "1,000 mocks": MANY,
    "limits": LIMITS,
    "keys, errors, mocks, limits": KEYS | ERRORS | RULES | LIMITS,
    "nothing; in a scope, by header": {},
    "nothing; in a scope, by path": {},
}
"""By what is configured; requests are in no scope where that is not said."""


@dataclass(frozen=True, slots=True)
class Configured:
    """``rounds`` turns of ``seconds`` each for each of :data:`SETTINGS`, on one worker each."""

    rounds: int
    seconds: float
    control: ClassVar[bool] = False
    columns: ClassVar[Sequence[Column]] = (
        Column("configured", "configured"),
        Column("cpu_us", "µs CPU", 1),
        Column("ratio", "ratio", 2),
    )
    notes: ClassVar[Sequence[str]] = (
        "CPU µs per request of one worker and its launcher, all of them up at once and taking "
        "turns: medians over the rounds, and the ratio is the median of the rounds' own ratios. "
        "Limits and rates are such that no request is refused and no mock matches.",
    )

    def run(self) -> Sequence[Mapping[str, Cell]]:
        requests = {what: _request(what) for what in SETTINGS}
        with TemporaryDirectory(prefix="llmsim-bench-") as name, ExitStack() as servers:
            up = {
                what: servers.enter_context(self._server(Path(name), settings))
                for what, settings in SETTINGS.items()
            }
            for what, server in up.items():
                _measure(server, requests[what], 1)
            rounds = [
                {
                    what: _measure(server, requests[what], self.seconds)
                    for what, server in up.items()
                }
                for _ in range(self.rounds)
            ]
        return [
            {
                "configured": what,
                "cpu_us": median(one[what] for one in rounds),
                "ratio": median(one[what] / one["nothing"] for one in rounds),
            }
            for what in SETTINGS
        ]

    def _server(self, folder: Path, settings: dict[str, Any]) -> AbstractContextManager[Server]:
        port = free_port()
        plain = {
            "latency": {"profile": "instant"},
            "response": {"generator": "lorem", "target_tokens": TOKENS},
        }
        config = write_config(folder, f"configured-{port}", plain | settings)
        return running(llmsim(port, 1, config), port, folder)


def _request(what: str) -> bytes:
    """The request of a row."""
    wire = WIRES["openai_chat"]
    if what.endswith("by header"):
        wire = replace(wire, headers=(*wire.headers, ("x-llmsim-scope", "bench")))
    elif what.endswith("by path"):
        wire = replace(wire, path=f"/scope/bench{wire.path}")
    return wire.request(BODIES["small"](), TOKENS, stream=False)


def _measure(server: Server, request: bytes, seconds: float) -> float:
    """CPU µs per request. Raises ClientError if one was refused."""
    before = server.cpu()
    counted = run_wrk(server.port, request, seconds, CONNECTIONS, threads=1)
    if counted.errors:
        raise ClientError(f"{counted.errors} of {counted.requests} requests failed")
    return (server.cpu() - before) / counted.requests * 1e6
