"""A real Prometheus sees what the clients saw, exactly, although a worker is killed meanwhile."""

import asyncio
import json
import math
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.live import slow
from tests.live.http1 import CHAT, Connection, chat, request
from tests.live.prometheus import Prometheus, scraping
from tests.live.watch import settled, stats
from tests.live.workers import kill, pids
from tests.serving import Server

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards" / "llmsim.json"
CONFIG = (
    slow.CONFIG
    + """
metrics: {vllm: true}
rate_limits: [{model: limited, requests_per_minute: 1, burst: 2}]
"""
)
MESSAGES = json.dumps(
    {"model": "claude-haiku", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
).encode()
REQUESTS = (
    (CHAT, chat(max_tokens=7)),
    (CHAT, chat(max_tokens=9, stream=True, stream_options={"include_usage": True})),
    (CHAT, chat(model="other", max_tokens=3)),
    (CHAT, b"{"),
    ("/v1/messages", MESSAGES),
    (CHAT, chat(model="limited", max_tokens=1)),
)


@dataclass
class Seen:
    """What the clients saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    streams: int = 0

    def answer(self, status: int, body: bytes) -> None:
        self.statuses[str(status)] += 1
        if status != 200:
            return
        if body.startswith(b"data: "):
            self.streams += 1
            body = body.split(b"\n\n")[-3].removeprefix(b"data: ")
        usage = json.loads(body)["usage"]
        self.tokens["prompt"] += usage.get("prompt_tokens", usage.get("input_tokens"))
        self.tokens["completion"] += usage.get("completion_tokens", usage.get("output_tokens"))


async def load(port: int, seen: Seen, rounds: int) -> None:
    """Every kind of request, many at once, each answered to its end."""

    async def client() -> None:
        async with await Connection.to(port) as connection:
            for path, body in REQUESTS * rounds:
                await connection.send(request("POST", path, body))
                answer = await connection.answer()
                seen.answer(answer.status, answer.body)

    await asyncio.gather(*[client() for _ in range(8)])


async def interrupted(port: int, seen: Seen) -> None:
    """Slow streams, and the end of a worker in the midst of them."""
    streams = await slow.on_both(port, tokens=15)
    await asyncio.to_thread(kill, port, max(pids(port).values()))
    prompt = 8  # of each: they ask the same
    for stream in streams:
        if await stream.whole():
            seen.statuses["200"] += 1
            seen.streams += 1
            seen.tokens["completion"] += 15
            seen.tokens["prompt"] += prompt
        else:
            seen.cut += 1


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG) as server:
        yield server


@pytest.fixture(scope="module")
def prometheus(
    sim: Server, seen: Seen, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """One that has seen load, the end of a worker, and load again."""
    with scraping(sim.port, tmp_path_factory.mktemp("prometheus")) as made:
        made.caught_up()
        asyncio.run(load(sim.port, seen, 4))
        asyncio.run(interrupted(sim.port, seen))
        asyncio.run(load(sim.port, seen, 4))
        settled(sim.port)
        made.caught_up()
        yield made


def test_it_counts_what_the_clients_counted(prometheus: Prometheus, seen: Seen) -> None:
    assert seen.statuses["200"] > 100
    assert seen.statuses["400"] == 64
    assert seen.cut > 0
    by_status = prometheus.by("status", "sum by (status) (llmsim_requests_total)")
    assert by_status == seen.statuses
    by_kind = prometheus.by("kind", "sum by (kind) (llmsim_tokens_total)")
    assert {kind: by_kind[kind] for kind in seen.tokens} == seen.tokens
    everything = sum(seen.statuses.values())
    expected = {
        "llmsim_requests_lost_total": seen.cut,
        "llmsim_streams_total": seen.streams + seen.cut,
        "llmsim_active_requests": 0,
        "llmsim_open_streams": 0,
        'llmsim_errors_total{kind="invalid",injected="false"}': seen.statuses["400"],
        "sum(llmsim_errors_total)": everything - seen.statuses["200"],
        "llmsim_rate_limited_total": seen.statuses["429"],
        "sum(llmsim_request_duration_seconds_count)": everything,
        "sum(llmsim_time_to_first_token_seconds_count)": seen.statuses["200"],
        'sum(llmsim_time_to_first_token_seconds_count{stream="true"})': seen.streams,
        "sum(llmsim_worker_restarts_total)": 1,
        "sum(llmsim_worker_up)": 2,
        'sum(llmsim_requests_total{dialect="anthropic"})': 64,
        "vllm:generation_tokens_total": seen.tokens["completion"],
    }
    assert {text: prometheus.one(text) for text in expected} == expected


def test_no_counter_went_backwards(prometheus: Prometheus) -> None:
    pattern = "(llmsim_|vllm:).+_(total|count|sum|bucket)"
    names = prometheus.by("__name__", f'group by (__name__) ({{__name__=~"{pattern}"}})')
    assert len(names) > 30
    for name in names:
        counters = prometheus.query(f"resets({name}[10m])")
        assert [labels for labels, resets in counters if resets] == [], name


def test_histograms_add_up(prometheus: Prometheus) -> None:
    for name in ("request_duration", "time_to_first_token", "inter_token_latency"):
        full = f"llmsim_{name}_seconds"
        whole = prometheus.one(f"sum({full}_count)")
        assert whole > 0
        assert prometheus.one(f'sum({full}_bucket{{le="+Inf"}})') == whole
        assert prometheus.one(f"sum({full}_sum)") > 0


def queries() -> list[tuple[str, str]]:
    """Panel and query of all panels, with Grafana's variables filled in."""
    board = json.loads(DASHBOARD.read_text())
    return [
        (panel["title"], target["expr"])
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


@pytest.mark.parametrize(("panel", "query"), queries())
def test_every_query_of_the_dashboard_has_data(
    panel: str, query: str, prometheus: Prometheus, sim: Server
) -> None:
    if "llmsim_rate_limit{" in query and not stats(sim.port)["rate_limits"]:
        pytest.skip("no rate limit is in use")
    filled = query.replace("$__rate_interval", "10m").replace("$instance", ".*")
    found = prometheus.query(filled)
    assert found, panel
    if "llmsim_queue" not in query:
        assert all(math.isfinite(value) for _, value in found), found


def test_the_variable_of_the_dashboard_has_values(prometheus: Prometheus) -> None:
    (variable,) = [
        one for one in json.loads(DASHBOARD.read_text())["templating"]["list"] if "allValue" in one
    ]
    assert variable["query"] == "label_values(llmsim_build_info, instance)"
    assert prometheus.by("instance", "llmsim_build_info").keys() == {
        prometheus.query("up")[0][0]["instance"]
    }


def test_promtool_finds_no_fault(sim: Server) -> None:
    """But with vLLM's names, which have a colon in them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    with urlopen(f"{sim.url}/metrics") as response:
        lines = response.read().decode().splitlines(keepends=True)
    own = "".join(line for line in lines if "vllm:" not in line)
    done: Any = subprocess.run(
        [promtool, "check", "metrics"], input=own, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
