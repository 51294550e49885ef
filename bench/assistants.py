"""What a run of an assistant costs: a thread with a message, a run, and polling it to its end."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from bench.client import ClientError
from bench.report import Cell, Column
from bench.server import Server, free_port, llmsim, running, write_config

ENDED = ("completed", "incomplete")
WARM = 0.5  # seconds
SETTINGS: dict[str, Any] = {"latency": {"profile": "instant"}, "store": {"max_threads": 1000}}


@dataclass(frozen=True, slots=True)
class Assistants:
    """``rounds`` turns of ``seconds`` each, by ``connections`` clients, for each number of
    ``workers``."""

    workers: tuple[int, ...]
    rounds: int
    seconds: float
    connections: int
    control: ClassVar[bool] = False
    columns: ClassVar[Sequence[Column]] = (
        Column("workers", "workers"),
        Column("turns", "turns/s", 0),
        Column("requests", "requests/s", 0),
        Column("turn_us", "µs CPU a turn", 0),
        Column("request_us", "µs CPU a request", 0),
    )
    notes: ClassVar[Sequence[str]] = (
        "A turn is four requests: a thread, a message, a run, and a poll that finds it ended. "
        "Medians over the rounds. The clients are Python and share the machine: the CPU figures, "
        "which are the server's own, say more than the rates.",
    )

    def run(self) -> Sequence[Mapping[str, Cell]]:
        with TemporaryDirectory(prefix="llmsim-bench-") as name:
            return [self._row(Path(name), count) for count in self.workers]

    def _row(self, folder: Path, workers: int) -> Mapping[str, Cell]:
        port = free_port()
        config = write_config(folder, f"assistants-{workers}", SETTINGS)
        with running(llmsim(port, workers, config), port, folder) as server:
            self._measured(server, WARM)
            rounds = [self._measured(server, self.seconds) for _ in range(self.rounds)]
        return {
            "workers": workers,
            "turns": median(one["turns"] for one in rounds),
            "requests": median(one["requests"] for one in rounds),
            "turn_us": median(one["turn_us"] for one in rounds),
            "request_us": median(one["request_us"] for one in rounds),
        }

    def _measured(self, server: Server, seconds: float) -> dict[str, float]:
        users = [User(server.port) for _ in range(self.connections)]
        cpu, start = server.cpu(), time.perf_counter()
        threads = [threading.Thread(target=user.work, args=(start + seconds,)) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took, cpu = time.perf_counter() - start, server.cpu() - cpu
        failed = [user.failure for user in users if user.failure]
        if failed:
            raise ClientError(failed[0])
        turns = sum(user.turns for user in users)
        requests = sum(user.requests for user in users)
        return {
            "turns": turns / took,
            "requests": requests / took,
            "turn_us": cpu / turns * 1e6,
            "request_us": cpu / requests * 1e6,
        }


@dataclass(slots=True)
class User:
    """One client with a connection of its own, and what it has done."""

    port: int
    turns: int = 0
    requests: int = 0
    failure: str = ""
    _connection: http.client.HTTPConnection = field(init=False)

    def work(self, until: float) -> None:
        """Turns until that time of the performance counter."""
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            assistant = self._call("POST", "/v1/assistants", {"model": "gpt-4o"})["id"]
            while time.perf_counter() < until:
                self._turn(assistant)
                self.turns += 1
        except (OSError, ValueError, KeyError, ClientError) as error:
            self.failure = repr(error)
        finally:
            self._connection.close()

    def _turn(self, assistant: str) -> None:
        thread = self._call("POST", "/v1/threads", {})["id"]
        message = {"role": "user", "content": "What is the weather like?"}
        self._call("POST", f"/v1/threads/{thread}/messages", message)
        run = self._call("POST", f"/v1/threads/{thread}/runs", {"assistant_id": assistant})
        path = f"/v1/threads/{thread}/runs/{run['id']}"
        while self._call("GET", path)["status"] not in ENDED:
            pass

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        self.requests += 1
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {"content-type": "application/json"})
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            raise ClientError(f"{method} {path}: {response.status} {answer}")
        return answer
