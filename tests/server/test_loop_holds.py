"""How long one request keeps the others of its worker waiting, on the event loop.

What counts is the processor time of each turn of the loop, which does not depend on what else the
machine does.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from llmsim.config import Config, Server
from tests.server.in_process import Answer, InProcess

MOST = 0.015
"""Seconds of a turn: what is in slices takes 2 ms, and 9 with the answer of 10 MB that is put
together here; what is not, takes 25 and more."""

LONG = {"x-llmsim-target-tokens": "16000", "x-llmsim-latency": "instant"}
LOGPROBS = {"logprobs": True, "top_logprobs": 5}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
RESPONSE = {"model": "gpt-4o", "input": "hi"}
WITH_LOGPROBS = {"include": ["message.output_text.logprobs"], "top_logprobs": 5}


class Turns:
    """The longest turn of the event loop so far, in seconds of processor time."""

    longest = 0.0


@contextmanager
def timed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Turns]:
    """Times the turns of the loop meanwhile."""
    turns, run = Turns(), events.Handle._run

    def measured(self: events.Handle) -> None:
        begun = time.thread_time()
        run(self)
        turns.longest = max(turns.longest, time.thread_time() - begun)

    with monkeypatch.context() as patch:
        patch.setattr(events.Handle, "_run", measured)
        yield turns


async def ask(sim: InProcess, path: str, body: Any) -> Answer:
    answer = await sim.ask("POST", path, orjson.dumps(body), LONG)
    assert answer.status == 200, answer.body[:200]
    return answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT | LOGPROBS | {"stream": True, "store": True}),
        ("/v1/responses", RESPONSE | {"stream": True}),
    ],
    ids=["chat, with log probabilities", "responses"],
)
def test_a_long_stream_that_is_due_at_once(
    monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    async def scene() -> None:
        with InProcess(Config(Server(journal_mb=64))) as sim:
            await ask(sim, path, body)
            with timed(monkeypatch) as turns:
                assert len((await ask(sim, path, body)).body) > 4_000_000
            assert turns.longest < MOST

    asyncio.run(scene())


def test_a_long_answer_in_a_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        with InProcess(Config(Server(journal_mb=64))) as sim:
            name = orjson.loads((await ask(sim, "/v1/conversations", {})).body)["id"]
            body = RESPONSE | WITH_LOGPROBS | {"conversation": name}
            await ask(sim, "/v1/responses", body)
            with timed(monkeypatch) as turns:
                await ask(sim, "/v1/responses", body)
                await sim.ask("GET", f"/v1/conversations/{name}/items", b"", {})
            assert turns.longest < 3 * MOST  # 7 MB are looked through; read whole, it is 200 ms

    asyncio.run(scene())


def test_a_thousand_requests_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        with InProcess(Config(Server(journal_mb=64))) as sim:
            text = {"messages": [{"role": "user", "content": "word " * 4000}]}
            for _ in range(1000):
                await ask(sim, "/v1/chat/completions", CHAT | text)
            with timed(monkeypatch) as turns:
                listed = await sim.ask("GET", "/llmsim/requests?limit=1000", b"", {})
            assert len(orjson.loads(listed.body)["requests"]) == 1000
            assert turns.longest < MOST / 3

    asyncio.run(scene())
