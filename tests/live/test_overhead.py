"""``llmsim overhead`` recovers what a gateway of known cost does, and says what it cannot know."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from numpy import quantile

from tests.serving import Server, free_port

PACED = "{ttft_mean_ms: 100, ttft_stddev_ms: 0, tbt_mean_ms: 20, tbt_stddev_ms: 0}"
GAP = 20.0
"""Milliseconds between tokens; the toy gateway holds every second one for as long."""


PERCENTILES = {"p50": 0.5, "p99": 0.99}


class Toy(NamedTuple):
    """The toy gateway and where it writes what it really took."""

    url: str
    log: Path

    def took(self, skipped: int) -> dict[str, list[float]]:
        """What it took, in milliseconds, without the first requests."""
        rows = [json.loads(line) for line in self.log.read_text().splitlines()][skipped:]
        return {
            "way_in_ms": [row["way_in"] for row in rows],
            "head_ms": [row["way_in"] + row["head"] for row in rows],
            "ttft_ms": [row["way_in"] + row["first"] for row in rows],
            "per_token_ms": [row["last"] for row in rows],
            "way_out_ms": [row["end"] for row in rows],
            "total_ms": [row["way_in"] + row["end"] for row in rows],
        }

    def attempts(self) -> list[int]:
        return [json.loads(line)["attempts"] for line in self.log.read_text().splitlines()]


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(f"latency: {PACED}", "--workers", "1") as server:
        yield server


@pytest.fixture
def toy(sim: Server, tmp_path: Path) -> Iterator[Toy]:
    port, log = free_port(), tmp_path / "took"
    command = [sys.executable, "-m", "tests.overhead.toy_gateway", str(port), str(sim.port)]
    process = subprocess.Popen([*command, str(log)], cwd=Path(__file__).parents[2])
    try:
        _await(port)
        yield Toy(f"http://127.0.0.1:{port}", log)
    finally:
        process.kill()
        process.wait()


def _await(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.connect()
            return
        except (OSError, HTTPException):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        finally:
            connection.close()


def overhead(
    gateway: str, sim: Server, folder: Path, *args: str, code: int = 0
) -> tuple[dict[str, Any], str]:
    """Run the command; what it wrote as JSON, and what it printed."""
    file = folder / "report.json"
    command = [sys.executable, "-m", "llmsim", "overhead", "--gateway", gateway]
    command += ["--upstream", sim.url, "--model", "gpt-4o-mini", "--json", str(file), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(file.read_text())
    return found, done.stdout + done.stderr


def near(measured: Any, real: float, direct: Any, at: str) -> bool:
    """Within 0.3 ms, or what this machine's noise allows: how unsure the percentile is, and how
    long requests take that go past the gateway."""
    low, high = measured["ci"][at]
    return abs(measured[at] - real) <= 0.3 + (high - low) + direct[at]


@pytest.mark.timed
def test_what_a_gateway_costs_is_recovered(sim: Server, toy: Toy, tmp_path: Path) -> None:
    args = ("--streams", "50", "--duration", "4s", "--turns", "1", "--max-tokens", "40")
    html = tmp_path / "report.html"
    found, printed = overhead(toy.url, sim, tmp_path, *args, "--html", str(html))
    assert found["requests"] == found["matched"] >= 50
    assert found["unmatched"] == 0
    assert found["errors"] == {}
    for name, values in toy.took(skipped=50).items():  # those that warm up
        added, direct = found["added"][name], found["direct"][name]
        for at, part in PERCENTILES.items():
            real = quantile(values, part)
            # A late token waits behind others, which is counted as theirs and not as its own.
            queues = name == "per_token_ms" and at != "p50"
            assert queues or near(added, real, direct, at), (name, at, real, added, direct)
    assert found["added"]["way_in_ms"]["p50"] >= 5.0
    assert found["added"]["held_ms"]["p50"] == pytest.approx(GAP, abs=1.0)
    assert found["tokens_per_read"]["p50"] == 2.0
    assert found["direct"]["tokens_per_read"]["p50"] == 1.0
    assert found["headers"] == {
        "added": ["via"],
        "stripped": ["x-llmsim-seed"],
        "renamed": {
            name: f"x-toy-{name}" for name in ("openai-version", "server-timing", "x-request-id")
        },
    }
    assert found["request_headers"] == {"added": [], "stripped": [], "renamed": {}}
    assert found["frames"]["compared"] == found["frames"]["same_bytes"] > 0, found["frames"]
    assert "time to first token" in printed
    assert "<svg" in html.read_text()


def test_retries_are_counted_exactly(sim: Server, toy: Toy, tmp_path: Path) -> None:
    fails = ("-H", "x-llmsim-error: 503; every=3; key=overhead-retries")
    args = ("--rate", "20", "--duration", "3s", "--turns", "1", "--max-tokens", "4", *fails)
    found, printed = overhead(toy.url, sim, tmp_path, *args)
    assert found["errors"] == {}
    assert found["retries"]["statuses"] == {"503": found["retries"]["upstream"]}
    attempts = toy.attempts()[-found["requests"] :]
    assert found["retries"]["requests"] == sum(one > 1 for one in attempts) > 0
    assert found["retries"]["upstream"] == sum(one - 1 for one in attempts)
    assert found["direct"]["errors"]["status 503"] > 0, "past the gateway nobody asks again"
    assert "retried upstream" in printed


@pytest.mark.parametrize("dialect", ["openai_responses", "anthropic", "gemini"])
def test_every_dialect_is_asked_in_both_ways(sim: Server, dialect: str, tmp_path: Path) -> None:
    model = {"anthropic": "claude-3-5-haiku-latest", "gemini": "gemini-2.0-flash"}
    args = ("--dialect", dialect, "--answers", "both", "--rate", "30", "--duration", "1.5s")
    args += ("--turns", "1", "--max-tokens", "16", "--arrivals", "constant")
    if dialect in model:
        args += ("--model", model[dialect])
    found, _ = overhead(sim.url, sim, tmp_path, *args)
    assert found["errors"] == {}
    assert found["requests"] == found["matched"] == 22
    assert found["through"]["timed"] == found["direct"]["timed"] == 22
    assert found["through"]["ttft_ms"] is not None
    assert found["through"]["plain_total_ms"] is not None
    assert found["frames"]["compared"] == found["frames"]["same_bytes"], found["frames"]


def test_a_ramp_ends_where_it_should(sim: Server, tmp_path: Path) -> None:
    args = ("--ramp", "10..20", "--duration", "2s", "--max-tokens", "4")
    found, printed = overhead(sim.url, sim, tmp_path, *args)
    assert [one["offered"] for one in found["ramp"]["steps"]][:1] == [10.0]
    assert "requests/s" in printed
    assert "Each step took 0.3 s each way" in printed
    assert "12 s is the least for 3 steps" in printed


def test_thresholds_decide_about_the_exit_code(sim: Server, tmp_path: Path) -> None:
    args = ("--rate", "20", "--duration", "1s", "--turns", "1", "--max-tokens", "4")
    overhead(sim.url, sim, tmp_path, *args, "--max-added-ttft-p99-ms", "60000")
    _, printed = overhead(
        sim.url, sim, tmp_path, *args, "--max-added-ttft-p99-ms", "-60000", code=1
    )
    assert "exceeded: --max-added-ttft-p99-ms -60000" in printed


def test_nothing_is_measured_where_nothing_answers(sim: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "llmsim", "overhead", "--upstream", sim.url]
    command += ["--gateway", f"http://127.0.0.1:{free_port()}", "--model", "gpt-4o-mini"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no request was answered: not connected" in done.stderr
