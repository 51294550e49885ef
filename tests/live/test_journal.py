"""What the workers remember of each request, found by id from any of them."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from json import loads
from threading import Timer
from typing import Any

import pytest
from click.testing import CliRunner

from llmsim.cli import main
from tests.live.http1 import CHAT, Answer, Connection, chat, in_turn, post
from tests.live.watch import LIMIT, read, settled, until
from tests.live.workers import by_both_workers
from tests.serving import Server

CONFIG = """
server: {journal_mb: 1}
latency:
  profile: instant
  models:
    steady: {ttft_mean_ms: 20, ttft_stddev_ms: 0, tbt_mean_ms: 2, tbt_stddev_ms: 0}
    late: {ttft_mean_ms: 60000, ttft_stddev_ms: 0, tbt_mean_ms: 1, tbt_stddev_ms: 0}
"""


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG) as server:
        yield server
        assert "Traceback" not in server.output()


def entry(port: int, name: str) -> Any:
    """The journal's entry, once its request has ended."""

    def look() -> Any:
        status, found = read(port, f"/llmsim/requests/{name}")
        assert status == 200, found
        return found

    return until(look, lambda found: found["status"] is not None)


def listed(port: int, query: str = "") -> list[Any]:
    status, told = read(port, f"/llmsim/requests{query}")
    assert status == 200, told
    found: list[Any] = told["requests"]
    return found


def name_of(answer: Answer) -> str:
    return answer.headers["x-request-id"]


def test_an_entry_is_found_by_either_id_over_any_connection(sim: Server) -> None:
    for answer in by_both_workers(sim.port, chat("who said what?")):
        by_answer = entry(sim.port, answer.json()["id"])
        by_request = entry(sim.port, name_of(answer))
        assert by_answer == by_request
        assert by_answer["request"]["messages"][0]["content"] == "who said what?"


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_planned_and_what_came_of_it(sim: Server, stream: bool) -> None:
    body = chat(model="steady", max_tokens=11, stream=stream)
    (answer,) = in_turn(sim.port, post(body))
    found = entry(sim.port, name_of(answer))
    assert found["endpoint"] == CHAT
    assert found["model"] == "steady"
    assert found["status"] == 200
    assert found["request"] == loads(body)
    assert str(found["seed"]) == answer.headers["x-llmsim-seed"]
    planned, actual = found["planned"], found["actual"]
    assert planned == {"ttft_ms": pytest.approx(20), "total_ms": pytest.approx(40)}
    assert answer.headers["server-timing"] == "ttft;dur=20.000, total;dur=40.000"
    # Half a tick of the scheduler's calendar early at most.
    first = planned["ttft_ms"] if stream else planned["total_ms"]
    assert actual["first_ms"] >= first - 0.5
    assert actual["total_ms"] >= planned["total_ms"] - 0.5
    assert found["lateness_max_ms"] >= 0
    frames = answer.body.count(b"\n\n") if stream else 1
    assert found["frames"] == {"planned": frames, "sent": frames}


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"model": "gpt-4o"}', b"[]"])
def test_what_was_refused_is_remembered_as_it_came(sim: Server, body: bytes) -> None:
    (answer,) = in_turn(sim.port, post(body))
    found = entry(sim.port, name_of(answer))
    assert (answer.status, found["status"]) == (400, 400)
    assert found["endpoint"] == CHAT
    sent = found["request"]
    assert sent == (
        loads(body) if body[:1] == b"[" or len(body) > 2 else body.decode(errors="replace")
    )


def test_an_answer_its_client_left_says_so(sim: Server) -> None:
    before = {one["id"] for one in listed(sim.port, "?limit=1000")}

    async def scene() -> Any:
        async with await Connection.to(sim.port) as connection:
            await connection.send(post(chat(model="late", stream=True)))
            (awaited,) = await asyncio.to_thread(
                until,
                lambda: [one for one in listed(sim.port) if one["id"] not in before],
                bool,
            )
            assert awaited["model"] == "late"
            assert awaited["status"] is None
            assert awaited["actual"] == {"first_ms": None, "total_ms": None}
            connection.vanish()
            return awaited

    left = entry(sim.port, asyncio.run(scene())["id"])
    assert left["status"] == 499
    assert left["frames"]["sent"] == 0
    assert left["frames"]["planned"] > 1


def test_a_body_too_large_to_remember_is_left_out(sim: Server) -> None:
    (answer,) = in_turn(sim.port, post(chat("hi " * 150_000, max_tokens=5, model="gpt-4.1")))
    assert answer.status == 200
    found = entry(sim.port, name_of(answer))
    assert (found["model"], found["request"]) == ("gpt-4.1", "")


def test_listings_are_newest_first_over_all_workers(sim: Server) -> None:
    names: list[str] = []
    while len(names) < 25:
        names += map(name_of, by_both_workers(sim.port, chat()))
    settled(sim.port)
    newest_first = [name[-26:] for name in reversed(names)]
    assert [one["id"] for one in listed(sim.port)] == newest_first[:20]
    assert [one["id"] for one in listed(sim.port, "?limit=3")] == newest_first[:3]
    assert [one["id"] for one in listed(sim.port, "?limit=1000")][: len(names)] == newest_first
    assert "request" not in listed(sim.port, "?limit=1")[0], "listings leave bodies out"


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1e2", "1.0", "%D9%A3", "9" * 30])
def test_bad_limits_are_refused(sim: Server, limit: str) -> None:
    status, answer = read(sim.port, f"/llmsim/requests?limit={limit}")
    assert status == 400
    assert "limit" in answer["error"]["message"]


def test_what_was_never_given_is_not_found(sim: Server) -> None:
    (answer,) = in_turn(sim.port, post(chat()))
    name = name_of(answer)
    forged = name[:-1] + ("0" if name[-1] != "0" else "1")
    other_slot = name[:-26] + "fff" + name[-23:]
    later = name[:-23] + f"{int(name[-23:-13], 16) + 1:010x}" + name[-13:]
    for unknown in (forged, other_slot, later, name[:-1], name.upper(), "chatcmpl-1", "x", "%00"):
        status, refused = read(sim.port, f"/llmsim/requests/{unknown}")
        assert status == 404, unknown
        assert refused["error"]["message"]


def test_an_entry_says_when_each_frame_was_due_and_left(sim: Server) -> None:
    headers = ("x-request-id: run-7", "authorization: Bearer sk-0123456789abcdef")
    (answer,) = in_turn(sim.port, post(chat(model="steady", max_tokens=11, stream=True), *headers))
    found = entry(sim.port, name_of(answer))
    details = found["details"]
    times = details["frames"]
    assert len(times["due_ms"]) == len(times["left_ms"]) == found["frames"]["sent"]
    late = [left - due for left, due in zip(times["left_ms"], times["due_ms"], strict=True)]
    assert min(late) >= -0.5
    assert max(late) == pytest.approx(found["lateness_max_ms"], abs=1.0)
    assert details["answer"].encode() == answer.body
    assert details["key"] == "sk-…cdef"
    assert "0123456789" not in str(found)
    assert [one["id"] for one in listed(sim.port, "?id=run-7")] == [found["id"]]


def test_the_command_prints_what_was_asked(sim: Server) -> None:
    body = chat("the command", max_tokens=3)
    (answer,) = in_turn(sim.port, post(body, "x-request-id: command-1"))
    entry(sim.port, name_of(answer))

    def printed(*args: str) -> str:
        command = ["requests", "--url", sim.url, "--id", "command-1", *args]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        return result.output

    head, line = printed().splitlines()
    assert head.split()[:2] == ["TIME", "STATUS"]
    assert line.split()[1:2] == ["200"]
    assert loads(printed("--json"))["request"] == loads(body)
    (archived,) = loads(printed("--har"))["log"]["entries"]
    assert loads(archived["request"]["postData"]["text"]) == loads(body)
    assert printed("--curl").startswith(f"curl -sS {sim.url}{CHAT} ")
    assert printed("--status", "500") == ""


def test_the_command_follows_until_it_is_interrupted(sim: Server) -> None:
    command = [sys.executable, "-m", "llmsim", "requests", "--follow", "--model", "followed"]
    with subprocess.Popen(
        [*command, "--url", sim.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's jobs in the background ignore it, and so do their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        watchdog = Timer(LIMIT, process.kill)
        watchdog.start()
        assert process.stdout.readline().split()[:2] == ["TIME", "STATUS"]
        for number in (1, 2):
            in_turn(sim.port, post(chat(model="other")), post(chat(model="followed")))
            line = process.stdout.readline()
            assert line.split()[1:2] == ["200"], f"{number}: {line}"
        process.send_signal(signal.SIGINT)
        assert (process.wait(LIMIT), process.stdout.read()) == (0, "")
        watchdog.cancel()
