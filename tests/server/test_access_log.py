"""The access log: which requests get a line, what it says, and what happens when it is full."""

import asyncio
from typing import Any, cast

import orjson
import pytest

from llmsim.config import Access, Logging
from llmsim.core.errors import Failure, FailureKind
from llmsim.pipeline.context import Call
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.provider import OPENAI
from llmsim.server import access_log
from llmsim.server.access_log import (
    MAX_PROMPT,
    MAX_WRITE,
    AccessLog,
    LogEntry,
    LoggedLifecycle,
    lifecycle_class,
)
from llmsim.server.lifecycle import RequestLifecycle
from llmsim.server.response_writer import ResponseWriter
from llmsim.state.shm import journal as journals
from llmsim.state.shm import layout
from llmsim.state.shm.journal import Journal
from llmsim.state.shm.layout import DROPPED
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.transport.scheduler import Scheduler

NOTHING = (0, 0, 0, 0)


def entry(number: int = 0, **more: Any) -> LogEntry:
    one = LogEntry(
        f"{number:026x}", "/v1/x", "m", 200, 100.0, False, 0.25, 0.5, 0.0, NOTHING, None, None
    )
    return one._replace(**more)


def logging(access: Access, prompts: bool = False) -> tuple[AccessLog, list[bytes], WorkerCounters]:
    counters = WorkerCounters(memoryview(bytearray(layout.SIZE)))
    written: list[bytes] = []
    return AccessLog(Logging("json", access, prompts), counters, written.append), written, counters


def lines(written: list[bytes]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in b"".join(written).splitlines()]


@pytest.mark.parametrize(
    ("access", "wanted"),
    [
        (Access("all"), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Access("errors"), []),
        (Access("sampled", 0.25), [3, 7]),
        (Access("sampled", 0.5), [1, 3, 5, 7]),
        (Access("sampled", 0.0), []),
        (Access("sampled", 1.0), [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_share_gets_a_line_and_errors_always_do(access: Access, wanted: list[int]) -> None:
    log, _, _ = logging(access)
    got = []
    for number in range(8):
        assert log.wants(429)
        assert log.wants(499)
        if log.wants(200):
            got.append(number)
    assert got == wanted


def test_a_line_says_how_the_request_went() -> None:
    log, written, _ = logging(Access("all"))
    failure = Failure(FailureKind.RATE_LIMIT, "no", injected=True)
    log.put(entry(1, status=429, failure=failure, lateness=0.0015, tokens=(3, 4, 0, 0)))
    log.write()
    assert lines(written) == [
        {
            "timestamp": "1970-01-01T00:01:40.500Z",
            "level": "warning",
            "event": "request",
            "request_id": f"{1:026x}",
            "endpoint": "/v1/x",
            "model": "m",
            "status": 429,
            "stream": False,
            "ttft_ms": 250.0,
            "duration_ms": 500.0,
            "lateness_ms": 1.5,
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "error": "rate_limit",
            "injected": True,
        }
    ]


@pytest.mark.parametrize(
    ("status", "level"), [(200, "info"), (404, "warning"), (499, "warning"), (503, "error")]
)
def test_the_level_follows_the_status(status: int, level: str) -> None:
    log, written, _ = logging(Access("all"))
    log.put(entry(status=status))
    log.write()
    assert lines(written)[0]["level"] == level


def test_a_stream_that_never_began_has_no_ttft() -> None:
    log, written, _ = logging(Access("all"))
    log.put(entry(first=-1e-6, status=499))
    log.write()
    assert lines(written)[0]["ttft_ms"] is None


@pytest.mark.parametrize("model", ['quote"', "new\nline", "ü" * 50])
def test_a_line_stays_a_line(model: str) -> None:
    log, written, _ = logging(Access("all"))
    log.put(entry(model=model))
    log.put(entry())
    log.write()
    assert len(lines(written)) == 2


def test_a_full_queue_drops_entries_and_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "MAX_WAITING", 5)
    log, written, counters = logging(Access("all"))
    for number in range(8):
        log.put(entry(number))
    assert counters.cells[DROPPED] == 3
    log.write()
    assert [line["request_id"] for line in lines(written)] == [f"{n:026x}" for n in range(5)]
    log.put(entry(9))
    log.write()
    assert len(lines(written)) == 6


def test_several_lines_are_one_write_that_no_other_writer_breaks() -> None:
    log, written, _ = logging(Access("all"))
    for number in range(100):
        log.put(entry(number))
    log.put(entry(prompt=b"x" * 3 * MAX_WRITE))
    log.write()
    assert len(lines(written)) == 101
    assert 3 < len(written) < 50
    assert all(piece.endswith(b"\n") for piece in written)
    assert max(map(len, written[:-1])) <= MAX_WRITE


def test_what_waits_is_written_when_the_worker_stops() -> None:
    log, written, _ = logging(Access("all"))
    log.start()
    for number in range(50):
        log.put(entry(number))
    log.stop()
    assert len(lines(written)) == 50


def test_without_a_log_requests_are_plain() -> None:
    assert lifecycle_class(None) is RequestLifecycle


class Port:
    """A client that reads its answer."""

    def __init__(self) -> None:
        self.answered: list[tuple[int, list[tuple[str, str]], bytes]] = []

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered.append((status, headers, body))


def refused(access: Access, prompts: bool) -> tuple[Port, list[dict[str, Any]]]:
    """A request with a secret in it that is refused, and the lines that makes."""
    log, written, counters = logging(access, prompts)
    journal = Journal(memoryview(bytearray(journals.size(1 << 20))), 0, 5)
    endpoint = OPENAI.endpoint("/v1/chat/completions", OpenAIChat())
    lifecycle = lifecycle_class(log)(endpoint.name, counters, journal)
    assert isinstance(lifecycle, LoggedLifecycle)
    secret = b"the secret" + b"x" * 2 * MAX_PROMPT
    call = Call(endpoint, None, lifecycle.stamp(), secret, model="gpt-4o")
    port: Any = Port()
    writer = ResponseWriter(cast("Scheduler", None))
    refusal = call.refused(Failure(FailureKind.OVERLOADED, "too much"))
    asyncio.run(writer.refuse(port, call, lifecycle, refusal))
    log.write()
    return port, lines(written)


def test_a_request_gets_its_line_under_the_id_of_its_answer() -> None:
    port, (line,) = refused(Access("errors"), prompts=False)
    status, headers, _ = port.answered[0]
    assert dict(headers)["x-request-id"].endswith(line["request_id"])
    assert len(line["request_id"]) == 26
    assert (line["status"], line["error"], line["injected"]) == (status, "overloaded", False)
    assert (line["endpoint"], line["model"]) == ("/v1/chat/completions", "gpt-4o")


@pytest.mark.parametrize("prompts", [False, True])
def test_the_prompt_is_logged_only_where_configured(prompts: bool) -> None:
    _, (line,) = refused(Access("all"), prompts)
    assert ("the secret" in str(line)) == prompts
    assert len(line.get("asked", "")) == MAX_PROMPT * prompts


def test_lines_that_cannot_be_written_are_counted_and_the_next_are_tried() -> None:
    log, written, counters = logging(Access("all"))
    full = True

    def write(text: bytes) -> None:
        if full:
            raise OSError(28, "No space left on device")
        written.append(text)

    log._write = write
    for number in range(100):
        log.put(entry(number))
    log.write()
    assert (counters.cells[DROPPED], written) == (100, [])
    full = False
    log.put(entry(100))
    log.write()
    assert (counters.cells[DROPPED], len(lines(written))) == (100, 1)
