"""Stored responses as streams: the same events again, no earlier than they are due."""

from typing import Any

import orjson
import pytest

from llmsim.core import Plan
from llmsim.providers.openai.responses.built_in_items import OUTPUTS, SEARCHED
from llmsim.providers.wire import sse
from llmsim.server.resources.response_replay import replay
from tests.server.responding import World, living

TOOL = {
    "type": "function",
    "name": "f",
    "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
}
CASES: dict[str, dict[str, Any]] = {
    "text": {},
    "cut": {"max_output_tokens": 16},
    "logprobs": {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    "reasoning": {"model": "gpt-5"},
    "summary": {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}},
    "call": {"tools": [TOOL], "tool_choice": "required"},
    "custom": {"tools": [{"type": "custom", "name": "c"}], "tool_choice": "required"},
    "background": {"background": True},
    "prepared": {"generate": False},
    "schema": {"text": {"format": {"type": "json_object"}}},
    "web_search": {"tools": [{"type": "web_search"}], "include": [SEARCHED]},
    "file_search": {"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]},
    "code": {"tools": [{"type": "code_interpreter", "container": "c"}], "include": [OUTPUTS]},
    "picture": {"tools": [{"type": "image_generation", "size": "64x32"}]},
    "mcp": {"tools": [{"type": "mcp", "server_label": "m", "require_approval": "never"}]},
    "approval": {"tools": [{"type": "mcp", "server_label": "m"}]},
    "shell": {"tools": [{"type": "shell"}]},
    "computer": {"tools": [{"type": "computer"}]},
    "patch": {"tools": [{"type": "apply_patch"}]},
}


async def again(world: World, name: str, after: int = -1) -> Plan:
    kept = await world.archive.find(name)
    return replay(kept, await world.settings(kept.entry.model), world.codec, after)


def events(plan: Plan) -> list[Any]:
    chunk = plan.frames.join(0, len(plan.frames))
    return [orjson.loads(message) for message in sse.messages(chunk)]


@pytest.mark.parametrize("name", CASES)
def test_a_stream_is_told_again_as_it_was_sent(name: str) -> None:
    async def scene(world: World) -> None:
        sent = await world.create(stream=True, **CASES[name])
        (planned,) = world.planned
        told = await again(world, sent["id"])
        assert events(told) == events(planned)
        assert told.due[:].tolist() == planned.due[:].tolist()

    living(scene)


@pytest.mark.parametrize("name", CASES)
def test_a_plain_answer_is_told_as_a_stream(name: str) -> None:
    async def scene(world: World) -> None:
        sent = await world.create(**CASES[name])
        told = await again(world, sent["id"])
        assert events(told)[-1]["response"] == sent
        assert told.due[-1] == pytest.approx(world.planned[0].total)

    living(scene)


@pytest.mark.parametrize("after", [-1, 0, 3, 50, 1000])
def test_from_a_number_on(after: int) -> None:
    async def scene(world: World) -> None:
        sent = await world.create(stream=True)
        whole = events(world.planned[0])
        told = await again(world, sent["id"], after)
        assert events(told) == whole[after + 1 :]
        assert len(told.due) == len(told.frames)

    living(scene)


def test_what_is_overdue_is_due_now() -> None:
    async def scene(world: World) -> None:
        sent = await world.create(background=True, stream=True)
        due = world.planned[0].due[:]
        middle = float(due[len(due) // 2])
        world.now += middle
        told = await again(world, sent["id"])
        kept = await world.archive.find(sent["id"])
        assert kept.elapsed == pytest.approx(middle, abs=1e-3)
        assert told.due[:].tolist() == [max(one, kept.elapsed) for one in due.tolist()]

    living(scene)


def test_a_cancelled_response_ends_where_it_was_cancelled() -> None:
    async def scene(world: World) -> None:
        sent = await world.create(background=True, stream=True)
        due = world.planned[0].due[:]
        world.now += float(due[20]) + 1e-4
        await world.archive.cancel(sent["id"])
        world.now += 60
        told = events(await again(world, sent["id"], 4))
        assert [event["sequence_number"] for event in told] == list(range(5, len(told) + 5))
        assert 20 <= told[-1]["sequence_number"] < len(due) - 5

    living(scene)
