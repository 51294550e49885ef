"""Clients that leave, stall or err: each gets what HTTP promises, and is counted."""

import asyncio
from collections.abc import Callable, Iterator
from json import dumps, loads

import pytest

from tests.live.http1 import CHAT, Answer, Connection, chat, chunked, in_turn, post, request
from tests.live.watch import settled, stats, until
from tests.serving import Server

LIMIT = 4096
CONFIG = f"""
server: {{max_body_bytes: {LIMIT}}}
latency:
  profile: instant
  models:
    slow: {{ttft_mean_ms: 50, ttft_stddev_ms: 0, tbt_mean_ms: 100, tbt_stddev_ms: 0}}
    late: {{ttft_mean_ms: 60000, ttft_stddev_ms: 0, tbt_mean_ms: 1, tbt_stddev_ms: 0}}
"""


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    with configured(CONFIG) as server:
        yield server
        assert "Traceback" not in server.output()


# --- clients that leave -------------------------------------------------------------------------

UNFINISHED = {
    "while it sends its body": post(chat("x" * 500))[:-100],
    "while it sends a body of unknown length": chunked(chat("x" * 500))[:-100],
    "while a plain answer is awaited": post(chat(model="late")),
    "before the first token of a stream": post(chat(model="late", stream=True)),
    "in mid-stream": post(chat(model="slow", stream=True)),
}


@pytest.mark.parametrize("leave", [Connection.vanish, Connection.close], ids=["reset", "close"])
@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_a_client_that_leaves_is_counted_as_aborted(
    sim: Server, sent: bytes, leave: Callable[[Connection], None]
) -> None:
    before = settled(sim.port)

    async def scene() -> None:
        async with await Connection.to(sim.port) as connection:
            await connection.send(sent)
            await asyncio.to_thread(
                until, lambda: stats(sim.port), lambda told: told["requests"]["active"] == 1
            )
            if b'"slow"' in sent:
                await connection.head()
                await connection.event()
            leave(connection)

    asyncio.run(scene())
    after = settled(sim.port)
    assert after["requests"]["aborted"] == before["requests"]["aborted"] + 1
    assert after["requests"]["finished"] == before["requests"]["finished"]
    assert after["requests"]["active_streaming"] == 0
    # What was asked has been read, and what was sent was sent.
    prompt, completion = (
        after["tokens"][name] - before["tokens"][name] for name in ("prompt", "completion")
    )
    assert (prompt > 0) == (b'"late"' in sent or b'"slow"' in sent)
    assert (completion > 0) == (b'"slow"' in sent)


def test_a_client_that_leaves_many_times_does_not_disturb_the_others(sim: Server) -> None:
    before = settled(sim.port)

    async def leaver() -> None:
        async with await Connection.to(sim.port) as connection:
            await connection.send(post(chat(model="slow", stream=True)))
            await connection.head()
            connection.vanish()

    async def stayer() -> int:
        async with await Connection.to(sim.port) as connection:
            await connection.send(post(chat(model="slow", stream=True, max_tokens=5)))
            await connection.head()
            return len(await connection.events())

    async def scene() -> list[int]:
        together = [leaver() for _ in range(50)]
        lengths = [stayer() for _ in range(20)]
        await asyncio.gather(*together)
        return await asyncio.gather(*lengths)

    assert asyncio.run(scene()) == [5 + 3] * 20
    after = settled(sim.port)
    assert after["requests"]["aborted"] == before["requests"]["aborted"] + 50
    assert after["requests"]["finished"] == before["requests"]["finished"] + 20


# --- clients that stall -------------------------------------------------------------------------


def test_a_reader_that_stalls_gets_everything_in_the_end(sim: Server) -> None:
    body = chat(model="gpt-4o", stream=True, n=100)
    before = settled(sim.port)

    async def scene() -> list[str]:
        async with await Connection.to(sim.port, receive_buffer=4096) as connection:
            await connection.send(post(body))
            await connection.head()
            # It reads nothing, and the server is done all the same.
            finished = before["requests"]["finished"] + 1
            await asyncio.to_thread(
                until,
                lambda: stats(sim.port),
                lambda told: told["requests"]["finished"] == finished,
            )
            return await connection.events()

    *chunks, done = asyncio.run(scene())
    assert done == "[DONE]"
    finishes = [loads(chunk)["choices"][0]["finish_reason"] for chunk in chunks]
    assert finishes.count("stop") == 100


def test_a_body_may_come_in_pieces(sim: Server) -> None:
    whole = post(chat("x" * 1000))

    async def scene() -> Answer:
        async with await Connection.to(sim.port) as connection:
            for at in range(0, len(whole), 100):
                await connection.send(whole[at : at + 100])
                await asyncio.to_thread(stats, sim.port)
            return await connection.answer()

    assert asyncio.run(scene()).status == 200


# --- keep-alive ---------------------------------------------------------------------------------

REFUSED = [
    (400, "not JSON", post(b"{")),
    (400, "nothing", post(b"")),
    (400, "no messages", post(dumps({"model": "gpt-4o"}).encode())),
    (404, "unknown path", request("POST", "/v1/nothing", b"x" * 1000)),
    (405, "wrong method", request("PUT", CHAT, b"x" * 1000)),
    (404, "unknown model", request("GET", "/v1/models/none")),
    (413, "too long", post(b"x" * (LIMIT + 1))),
    (413, "too long, not hot", request("POST", "/v1/nothing", b"x" * (LIMIT + 1))),
    (413, "too long, of unknown length", chunked(b"x" * (LIMIT + 1), 100)),
]


@pytest.mark.parametrize(("status", "bad"), [(s, r) for s, _, r in REFUSED],
                         ids=[name for _, name, _ in REFUSED])  # fmt: skip
def test_the_connection_stays_usable_after_a_refusal(sim: Server, status: int, bad: bytes) -> None:
    good = post(chat())
    refused, answered, again, last = in_turn(sim.port, bad, good, bad, good)
    assert [one.status for one in (refused, answered, again, last)] == [status, 200, status, 200]
    assert refused.headers["content-type"] == "application/json"
    assert refused.json()["error"].keys() == {"message", "type", "param", "code"}


def test_a_body_far_over_the_limit_is_refused_however_long_it_is(sim: Server) -> None:
    (refused,) = in_turn(sim.port, post(b"x" * 20 * LIMIT))
    assert refused.status == 413


def test_requests_may_be_pipelined(sim: Server) -> None:
    async def scene() -> list[Answer]:
        async with await Connection.to(sim.port) as connection:
            texts = [f"number {number}" for number in range(5)]
            plain = [post(chat(text, seed=1)) for text in texts]
            await connection.send(plain[0] + post(chat(stream=True)) + b"".join(plain[1:]))
            return [await connection.answer() for _ in range(6)]

    first, stream, *rest = asyncio.run(scene())
    assert [one.status for one in (first, stream, *rest)] == [200] * 6
    assert stream.body.endswith(b"data: [DONE]\n\n")
    assert len({one.json()["id"] for one in (first, *rest)}) == 5
