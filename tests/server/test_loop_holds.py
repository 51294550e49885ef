"""How long one request keeps the others of its worker waiting, on the event loop.

What counts is the processor time of each turn of the loop, which does not depend on what else the
machine does.
"""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio import events
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from llmsim.config import Config, Server
from llmsim.providers.anthropic import batches
from llmsim.providers.openai import conversations
from llmsim.providers.openai.assistants import objects as assistant_objects
from llmsim.providers.openai.assistants import params as assistant_params
from llmsim.providers.openai.responses import params, stored
from llmsim.server.resources import response_replay
from llmsim.server.resources import responses as responses_resource
from tests.runtime.worker import configured
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
        ("/v1/responses", RESPONSE | {"stream": True} | WITH_LOGPROBS),
    ],
    ids=["chat, with log probabilities", "responses", "responses, with log probabilities"],
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


class Threads:
    """How many bytes were looked at in calls of a function, on the event loop and elsewhere."""

    def __init__(self, patch: pytest.MonkeyPatch, where: Any, name: str) -> None:
        self.on_loop: list[int] = []
        self.elsewhere: list[int] = []
        original = getattr(where, name)

        def watched(*arguments: Any) -> Any:
            size = sum(len(one) for one in arguments if isinstance(one, bytes))
            main = threading.current_thread() is threading.main_thread()
            (self.on_loop if main else self.elsewhere).append(size)
            return original(*arguments)

        patch.setattr(where, name, watched)


MESSAGES = [{"role": "user", "content": "word " * 40} for _ in range(200)]
ITEMS = [{"type": "message", **message} for message in MESSAGES]
REQUEST = {"model": "claude-sonnet-4-5", "max_tokens": 5, "messages": MESSAGES[:1]}
BATCH = {"requests": [{"custom_id": str(n), "params": REQUEST} for n in range(200)]}


@pytest.mark.parametrize(
    ("path", "body", "where", "name"),
    [
        ("/v1/threads", {"messages": MESSAGES}, assistant_params, "thread_fields"),
        ("/v1/threads", {"messages": MESSAGES}, assistant_objects, "messages"),
        ("/v1/conversations", {"items": ITEMS[:20] * 9}, conversations, "create_params"),
        ("/v1/messages/batches", BATCH, batches, "read"),
        ("/v1/responses/input_tokens", RESPONSE | {"input": ITEMS}, params, "parsed"),
    ],
)
def test_a_large_body_is_not_understood_on_the_loop(
    monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any], where: Any, name: str
) -> None:
    async def scene() -> None:
        threads = Threads(monkeypatch, where, name)
        with InProcess(Config()) as sim:
            await sim.ask("POST", path, orjson.dumps(body), {})
            assert threads.elsewhere
            assert not threads.on_loop

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("path", "where", "name"),
    [
        ("/v1/responses/{id}", params, "parsed"),
        ("/v1/responses/{id}?stream=true", response_replay, "completion_of"),
        ("/v1/responses/{id}/input_items", stored, "input_items"),
    ],
)
def test_what_was_stored_is_not_read_on_the_loop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, where: Any, name: str
) -> None:
    async def scene() -> None:
        with InProcess(configured("latency: {profile: instant}", tmp_path)) as sim:
            made = await ask(sim, "/v1/responses", RESPONSE | {"input": ITEMS})
            threads = Threads(monkeypatch, where, name)
            url = path.format(id=orjson.loads(made.body)["id"])
            assert (await sim.ask("GET", url, b"", {})).status == 200
            assert threads.elsewhere
            assert not threads.on_loop

    asyncio.run(scene())


def test_a_long_chain_is_read_with_time_for_others_between(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def scene() -> None:
        with InProcess(configured("latency: {profile: instant}", tmp_path)) as sim:
            latest: dict[str, Any] = {}
            for _ in range(40):
                body = orjson.dumps(RESPONSE | latest)
                made = await sim.ask("POST", "/v1/responses", body, {})
                latest = {"previous_response_id": orjson.loads(made.body)["id"]}
            turns = Turns()
            looked_up = Threads(monkeypatch, responses_resource, "parsed")
            asked = sim.ask("POST", "/v1/responses", orjson.dumps(RESPONSE | latest), {})
            await counted(asked, looked_up.on_loop, turns)
            assert len(looked_up.on_loop) == 40
            assert turns.longest <= responses_resource.AT_A_TIME

    asyncio.run(scene())


async def counted(request: Coroutine[Any, Any, Answer], calls: list[int], turns: Turns) -> None:
    """The most calls in a turn of the loop while a request is answered."""
    asking = asyncio.create_task(request)
    while not asking.done():
        before = len(calls)
        await asyncio.sleep(0)
        turns.longest = max(turns.longest, len(calls) - before)
    await asking
