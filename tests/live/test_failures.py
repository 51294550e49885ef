"""Failures on purpose as a client sees them at its socket, and in the books."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.live.http1 import Connection, chat, in_turn, post
from tests.live.watch import settled
from tests.serving import Server

CONFIG = """\
latency: {profile: instant}
response: {target_tokens: 20}
server: {journal_mb: 1}
errors:
  rules:
    - {model: cut, fault: {cut: {after_tokens: 5}}}
    - {model: reset-first, fault: {reset: {}}}
    - {model: reset, fault: {reset: {after_tokens: 5}}}
    - {model: stall, fault: {stall: {after_tokens: 5, lasts_ms: 400}}}
    - {model: trickle, fault: {trickle: {bytes: 200, every_ms: 10}}}
    - {model: malformed, fault: {malformed: {after_tokens: 5}}}
    - {model: unterminated, fault: {unterminated: {}}}
    - {model: event, fault: {error_event: {after_tokens: 5}}}
    - {model: throttled, kind: rate_limit, retry_after_ms: 2500}
    - {model: late, kind: timeout, timeout_after_ms: 300}
    - {model: teapot, status: 418}
    - {model: third, every: 3, status: 503}
timetable:
  - {to: 1h, model: soon, status: 529}
  - {from: 1h, model: later, status: 529}
"""
BOTH = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG) as server:
        yield server


def broken(port: int, model: str, stream: bool, before: bool = False) -> tuple[bytes, Exception]:
    """What came of an answer that breaks off, and how it ended. ``before`` asks for a whole
    one on the same connection first."""

    async def scene() -> tuple[bytes, Exception]:
        async with await Connection.to(port) as connection:
            if before:
                await connection.send(post(chat()))
                assert (await connection.answer()).status == 200
            await connection.send(post(chat(model=model, stream=stream)))
            got = b""
            try:
                await connection.head()
                while piece := await connection.piece():
                    got += piece
            except asyncio.IncompleteReadError as error:
                return got + error.partial, error
            except ConnectionResetError as error:
                return got, error
        raise AssertionError(f"the answer ended as if it were whole: {got!r}")

    return asyncio.run(asyncio.wait_for(scene(), 10))


@pytest.mark.parametrize("before", [False, True])
@BOTH
def test_a_cut_answer_ends_without_its_end(sim: Server, stream: bool, before: bool) -> None:
    got, error = broken(sim.port, "cut", stream, before)
    assert isinstance(error, asyncio.IncompleteReadError)
    if stream:
        events = got.decode().split("\n\n")
        assert len([one for one in events if one.startswith("data: {")]) == 1 + 5
    else:
        assert got.startswith(b'{"id":"chatcmpl-')


@pytest.mark.parametrize("before", [False, True])
@BOTH
def test_a_reset_comes_in_the_middle(sim: Server, stream: bool, before: bool) -> None:
    got, error = broken(sim.port, "reset", stream, before)
    assert isinstance(error, ConnectionResetError)
    assert got or not stream


@pytest.mark.parametrize("before", [False, True])
@BOTH
def test_a_reset_comes_in_place_of_an_answer(sim: Server, stream: bool, before: bool) -> None:
    got, error = broken(sim.port, "reset-first", stream, before)
    assert isinstance(error, ConnectionResetError)
    assert got == b""


def test_other_connections_live_on(sim: Server) -> None:
    async def scene() -> list[int]:
        async with await Connection.to(sim.port) as one, await Connection.to(sim.port) as two:
            statuses = []
            for model in ("gpt-4o", "reset-first", "cut"):
                async with await Connection.to(sim.port) as third:
                    await third.send(post(chat(model=model, stream=True)))
                    await asyncio.sleep(0.05)
                for each in (one, two):
                    await each.send(post(chat()))
                    statuses.append((await each.answer()).status)
        return statuses

    assert asyncio.run(asyncio.wait_for(scene(), 10)) == [200] * 6


@BOTH
def test_a_stall_takes_its_time(sim: Server, stream: bool) -> None:
    began = time.monotonic()
    (answer,) = in_turn(sim.port, post(chat(model="stall", stream=stream)))
    assert time.monotonic() - began >= 0.399
    assert answer.status == 200
    if not stream:
        assert len(answer.json()["choices"]) == 1
        assert int(answer.headers["content-length"]) == len(answer.body)


@BOTH
def test_a_trickle_is_dribbled_and_whole(sim: Server, stream: bool) -> None:
    began = time.monotonic()
    (answer,) = in_turn(sim.port, post(chat(model="trickle", stream=stream)))
    assert time.monotonic() - began >= (len(answer.body) // 200 - 1) * 0.01
    assert answer.body.rstrip().endswith(b"[DONE]" if stream else b"}")


def test_a_malformed_answer_is_whole_but_no_json(sim: Server) -> None:
    plain, streamed = in_turn(
        sim.port,
        post(chat(model="malformed")),
        post(chat(model="malformed", stream=True)),
    )
    with pytest.raises(json.JSONDecodeError):
        plain.json()
    events = [one.removeprefix("data: ") for one in streamed.body.decode().split("\n\n")[:-2]]
    assert [parses(one) for one in events].count(False) == 1


def parses(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def test_a_stream_may_lack_its_last_event_or_end_with_an_error(sim: Server) -> None:
    unterminated, event = in_turn(
        sim.port,
        post(chat(model="unterminated", stream=True)),
        post(chat(model="event", stream=True)),
    )
    assert b"[DONE]" not in unterminated.body
    assert b'"finish_reason":"stop"' in unterminated.body
    last = event.body.decode().split("\n\n")[-2].removeprefix("data: ")
    assert json.loads(last)["error"]["code"] == "overloaded"


def test_refusals_say_when_to_come_back(sim: Server) -> None:
    throttled, teapot = in_turn(sim.port, post(chat(model="throttled")), post(chat(model="teapot")))
    assert throttled.status == 429
    assert throttled.headers["retry-after"] == "3"
    assert throttled.headers["retry-after-ms"] == "2500"
    assert teapot.status == 418
    assert "retry-after" not in teapot.headers


def test_a_timeout_is_told_late(sim: Server) -> None:
    began = time.monotonic()
    (answer,) = in_turn(sim.port, post(chat(model="late", stream=True)))
    assert answer.status == 504
    assert time.monotonic() - began >= 0.299


def test_every_third_fails_over_all_workers(sim: Server) -> None:
    statuses = []
    for _ in range(12):
        (answer,) = in_turn(sim.port, post(chat(model="third")))
        statuses.append(answer.status)
    assert statuses == [200, 200, 503] * 4


def test_the_timetable_is_in_force(sim: Server) -> None:
    soon, later = in_turn(sim.port, post(chat(model="soon")), post(chat(model="later")))
    assert (soon.status, later.status) == (529, 200)


def test_the_books_tell_what_was_sent(sim: Server) -> None:
    models = ("cut", "reset", "reset-first", "malformed", "unterminated", "event", "stall")
    for model in models:
        if model in ("cut", "reset", "reset-first"):
            broken(sim.port, model, stream=True)
        else:
            in_turn(sim.port, post(chat(model=model, stream=True)))
    in_turn(sim.port, post(chat(model="throttled")))
    told = settled(sim.port)
    assert told["requests"]["aborted"] == told["requests"]["active"] == 0
    assert told["statuses"] == {"200": len(models), "429": 1}
    kinds = told["errors"]["by_kind"]
    assert kinds["server_error"] == {"injected": 5, "real": 0}
    assert kinds["overloaded"] == {"injected": 1, "real": 0}
    assert kinds["rate_limit"] == {"injected": 1, "real": 0}
