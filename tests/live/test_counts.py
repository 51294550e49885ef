"""What the workers count together is what the clients saw, to the last request and token."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.live.http1 import CHAT, Connection, chat, request, slot_of
from tests.live.watch import settled, stats, until
from tests.live.workers import by_both_workers, pids
from tests.serving import Server

CONNECTIONS = 32
ROUNDS = 25

MISTAKES = [
    b"{",
    chat(temperature=3),
    json.dumps({"model": "gpt-4o"}).encode(),
]


@dataclass
class Seen:
    """A client's own counts."""

    statuses: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    streams: int = 0
    prompt: int = 0
    completion: int = 0
    slots: set[int] = field(default_factory=set)

    def answered(self, model: str, usage: dict[str, int], name: str) -> None:
        self.statuses["200"] += 1
        self.models[model] += 1
        self.prompt += usage["prompt_tokens"]
        self.completion += usage["completion_tokens"]
        self.slots.add(slot_of(name))


async def user(port: int, number: int, seen: Seen) -> None:
    """Plain answers, streams and mistakes in turn, over one connection."""
    async with await Connection.to(port) as connection:
        for turn in range(ROUNDS):
            kind = (number + turn) % 5
            model = ("gpt-4o", "gpt-4", "somebody-elses")[turn % 3]
            limit = 1 + (number * 7 + turn) % 40
            if kind < 2:
                body = chat("hi " * limit, model=model, max_tokens=limit)
                answer = await connection.ask("POST", CHAT, body)
                seen.answered(model, answer.json()["usage"], answer.json()["id"])
            elif kind < 4:
                body = chat(
                    model=model,
                    max_tokens=limit,
                    stream=True,
                    stream_options={"include_usage": True},
                )
                await connection.send(request("POST", CHAT, body))
                assert (await connection.head()).status == 200
                *_, last, done = await connection.events()
                assert done == "[DONE]"
                seen.answered(model, json.loads(last)["usage"], json.loads(last)["id"])
                seen.streams += 1
            else:
                answer = await connection.ask("POST", CHAT, MISTAKES[turn % len(MISTAKES)])
                assert answer.status == 400
                seen.statuses["400"] += 1


def grown(before: Any, after: Any, *path: str) -> int:
    """By how much a number of the stats has grown; one that was not there was 0."""
    for name in path:
        before, after = before.get(name, {}), after.get(name, {})
    return int(after or 0) - int(before or 0)


def test_counts_under_concurrent_load_are_exact(sim: Server) -> None:
    seen = Seen()

    async def load() -> None:
        await asyncio.gather(*(user(sim.port, number, seen) for number in range(CONNECTIONS)))

    by_both_workers(sim.port, chat(max_tokens=1))
    before = settled(sim.port)
    asyncio.run(load())
    after = settled(sim.port)

    asked = CONNECTIONS * ROUNDS
    assert sum(seen.statuses.values()) == asked
    assert seen.slots == pids(sim.port).keys(), "both workers answered"
    assert {
        "total": grown(before, after, "requests", "total"),
        "finished": grown(before, after, "requests", "finished"),
        "aborted": grown(before, after, "requests", "aborted"),
        "endpoint": grown(before, after, "endpoints", CHAT),
        "streaming": grown(before, after, "requests", "streaming"),
        "non_streaming": grown(before, after, "requests", "non_streaming"),
        "200": grown(before, after, "statuses", "200"),
        "400": grown(before, after, "statuses", "400"),
        "errors": grown(before, after, "errors", "total"),
        "prompt": grown(before, after, "tokens", "prompt"),
        "completion": grown(before, after, "tokens", "completion"),
    } == {
        "total": asked,
        "finished": asked,
        "aborted": 0,
        "endpoint": asked,
        "streaming": seen.streams,
        "non_streaming": asked - seen.streams,
        "200": seen.statuses["200"],
        "400": seen.statuses["400"],
        "errors": seen.statuses["400"],
        "prompt": seen.prompt,
        "completion": seen.completion,
    }
    for model, count in seen.models.items():
        assert grown(before, after, "models", model, "requests") == count


def test_what_is_open_is_counted_as_active_and_then_as_finished(sim: Server) -> None:
    before = stats(sim.port)

    def started() -> Any:
        return until(lambda: stats(sim.port), lambda told: grown(before, told, "requests", "total"))

    async def check() -> None:
        async with await Connection.to(sim.port) as connection:
            # No answer can begin before its body is whole.
            body = chat(max_tokens=5)
            whole = request("POST", CHAT, body)
            await connection.send(whole[:-1])
            open_now = await asyncio.to_thread(started)
            assert open_now["requests"]["active"] == 1
            assert open_now["requests"]["active_non_streaming"] == 1
            await connection.send(whole[-1:])
            assert (await connection.answer()).status == 200
        after = settled(sim.port)
        assert grown(before, after, "requests", "finished") == 1

    asyncio.run(check())
