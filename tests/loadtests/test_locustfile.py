"""The Locust users, run by Locust itself: against llmsim, and against answers that are broken."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

TOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"
STREAM_TIMES = {"chat stream: TTFT", "chat stream: ITL"}
STREAM_OVERHEADS = {"chat stream: overhead TTFT", "chat stream: overhead total"}
ROWS = {"chat", "chat: overhead total", "chat stream"} | STREAM_TIMES | STREAM_OVERHEADS


@dataclass(frozen=True)
class Run:
    code: int
    output: str


def load(host: str, *args: str, seconds: int = 1) -> Run:
    """Runs the locustfile without its web page."""
    command = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py", "--headless"]
    command += ["--only-summary", "--host", host, "--run-time", f"{seconds}s", *args]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith(("LOAD_", "LOCUST_"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def rows(results: Path) -> dict[str, dict[str, Any]]:
    """What Locust wrote for `--json-file RESULTS`, by name."""
    return {row["name"]: row for row in json.loads(results.with_suffix(".json").read_text())}


class Gateway(ThreadingHTTPServer):
    """Answers every request with the next of these (status, body) in turn."""

    def __init__(
        self, answers: list[tuple[int, bytes]], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers = cycle(answers)
        self.headers = headers or {}


class Answer(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = next(self.server.answers)
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keeps the test's output to what the test prints."""


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[str]:
    with Gateway(request.param) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_ten_seconds_against_llmsim(server: str, tmp_path: Path) -> None:
    results = tmp_path / "run"
    users = ("--users", "10", "--spawn-rate", "10")
    limits = ("--ttft-p95-ms", "5000", "--stream-overhead-p95-ms", "5000")
    run = load(server, *users, *limits, "--json-file", str(results), seconds=10)

    assert run.code == 0, run.output
    found = rows(results)
    assert set(found) == ROWS
    for row in found.values():
        assert row["num_requests"] > 10
        assert row["num_failures"] == 0
    ttft = found["chat stream: TTFT"]["total_response_time"]
    assert 0 < found["chat stream: overhead TTFT"]["total_response_time"] < ttft


@pytest.mark.parametrize(
    ("dialect", "model"),
    [
        ("openai_responses", "gpt-4o-mini"),
        ("anthropic", "claude-haiku-4-5"),
        ("gemini", "gemini-2.0-flash"),
    ],
)
def test_every_api_has_its_users(server: str, dialect: str, model: str, tmp_path: Path) -> None:
    results = tmp_path / "run"
    args = ("--users", "4", "--spawn-rate", "4", "--dialect", dialect, "--model", model)
    run = load(server, *args, "--max-tokens", "8", "--json-file", str(results), seconds=3)

    assert run.code == 0, run.output
    found = rows(results)
    assert set(found) == ROWS
    ttft = found["chat stream: TTFT"]["response_times"]
    assert any("." in time and not time.endswith(".0") for time in ttft), "fractions stay"


@pytest.mark.parametrize(
    ("user", "limit", "said"),
    [
        ("StreamingUser", "--ttft-p95-ms", "p95 of 'chat stream: TTFT' is"),
        ("StreamingUser", "--stream-p95-ms", "p95 of 'chat stream' is"),
        ("PlainUser", "--plain-p95-ms", "p95 of 'chat' is"),
        ("PlainUser", "--itl-p95-ms", "no 'chat stream: ITL' was measured"),
        ("StreamingUser", "--plain-overhead-p95-ms", "no 'chat: overhead total' was measured"),
    ],
)
def test_a_missed_threshold_is_an_exit_code(server: str, user: str, limit: str, said: str) -> None:
    run = load(server, limit, "0.5", user)

    assert run.code == 1, run.output
    assert f"{limit}: {said}" in run.output
    assert "Error report" not in run.output


@pytest.mark.parametrize("gateway", [[(200, TOKEN + TOKEN + DONE)]], indirect=True)
def test_without_the_plan_there_is_no_overhead(gateway: str, tmp_path: Path) -> None:
    results = tmp_path / "run"
    run = load(gateway, "--json-file", str(results), "StreamingUser")

    assert run.code == 0, run.output
    assert set(rows(results)) == {"chat stream"} | STREAM_TIMES


@pytest.mark.parametrize(
    ("user", "gateway", "failures"),
    [
        (
            "StreamingUser",
            [
                (500, b"{}"),
                (200, TOKEN),
                (200, TOKEN + b'data: {"error":{"message":"overloaded"}}\n\n' + DONE),
                (200, b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n' + DONE),
                (200, TOKEN + b'data: {"choi\n\n'),
            ],
            ["code=500", "without its last event", "overloaded", "no text", "not JSON"],
        ),
        (
            "PlainUser",
            [(429, b"{}"), (200, b"<html>"), (200, b"{}"), (200, b'{"choices":[]}')],
            ["code=429", "Expecting value", "KeyError", "the answer is empty"],
        ),
    ],
    indirect=["gateway"],
)
def test_an_answer_no_client_could_use_is_a_failure(
    user: str, gateway: str, failures: list[str]
) -> None:
    run = load(gateway, user)

    assert run.code == 1, run.output
    reported = run.output.partition("Error report")[2]
    errors = [line for line in reported.splitlines() if "POST chat" in line]
    assert len(errors) == len(failures), run.output
    for said in failures:
        assert any(said in error for error in errors), errors
    assert "measure " not in run.output


def test_a_loadtest_of_two_processes_waits_for_nobody(server: str) -> None:
    """Its measures are added up, and are none of the requests that Locust counts."""
    command = [sys.executable, "-m", "llmsim", "loadtest", "smoke", "--target", server]
    command += ["--duration", "4s", "--rate", "10", "--max-tokens", "5", "--processes", "2"]
    command += ["--dialect", "anthropic", "--model", "claude-haiku-4-5", "-H", "x-any: 1"]
    command += ["--max-ttft-p95-ms", "60000"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    table = {line[:32].strip(): line[32:].split() for line in done.stdout.splitlines()}
    assert {"TTFT", "overhead TTFT", "total", "overhead total", "ITL"} <= table.keys(), printed
    count = int(table["TTFT"][0])
    assert 5 <= count <= 120
    assert any(
        line.split()[:1] == ["Aggregated"] and line.split()[1] == str(count)
        for line in printed.splitlines()
    ), printed


@pytest.mark.parametrize("gateway", [[(500, b"{}")]], indirect=True)
def test_a_loadtest_with_failures_is_an_exit_code(gateway: str) -> None:
    command = [sys.executable, "-m", "llmsim", "loadtest", "smoke", "--target", gateway]
    command += ["--duration", "2s", "--rate", "5"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_run_without_a_request_is_an_exit_code(server: str) -> None:
    run = load(server, "--users", "0")
    assert run.code == 1, run.output
    assert "no request was made" in run.output


@pytest.mark.parametrize("name", ["Server-Timing", "llm_provider-server-timing"])
def test_the_plan_is_found_by_whatever_name(name: str, tmp_path: Path) -> None:
    results = tmp_path / "run"
    with Gateway([(200, TOKEN + TOKEN + DONE)], {name: "ttft;dur=0.1, total;dur=0.2"}) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        run = load(host, "--json-file", str(results), "StreamingUser", seconds=4)
        server.shutdown()
    assert run.code == 0, run.output
    assert set(rows(results)) >= STREAM_OVERHEADS
