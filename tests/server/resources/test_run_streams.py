"""The events of a run's stream, in their order, and how it ends when something happens to it."""

from typing import Any

import pytest
from openai._models import validate_type
from openai.types.beta import Thread
from openai.types.beta.threads import Message, MessageDeltaEvent, Run
from openai.types.beta.threads.runs import RunStep, RunStepDeltaEvent

from tests.server.assisting import WEATHER, AssistantWorld, assisted, outputs

TYPES: dict[str, Any] = {
    "thread.created": Thread,
    "thread.run.step.delta": RunStepDeltaEvent,
    "thread.run.step": RunStep,
    "thread.message.delta": MessageDeltaEvent,
    "thread.message": Message,
    "thread.run": Run,
}
"""By what an event's name begins with; the first one counts."""

MESSAGE = [
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
    "thread.message.completed",
    "thread.run.step.completed",
]
TOOL = [
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.run.step.delta",
    "thread.run.step.completed",
]
BEGUN = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
ENDED = ["thread.run.completed", "done"]


def names(events: list[tuple[str, Any]]) -> list[str]:
    """The names of the events, those that follow their like left out."""
    found = [name for name, _ in events]
    return [name for place, name in enumerate(found) if not place or name != found[place - 1]]


def checked(events: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The events, each of its type, and deltas without an id of their own."""
    assert events[-1] == ("done", "[DONE]")
    for name, data in events[:-1]:
        kind = next(TYPES[start] for start in TYPES if name.startswith(start))
        validate_type(type_=kind, value=data)
        if name.endswith(".delta"):
            assert "id" not in data["delta"]
    return events


def said(events: list[tuple[str, Any]]) -> str:
    return "".join(
        data["delta"]["content"][0]["text"]["value"]
        for name, data in events
        if name == "thread.message.delta"
    )


def test_a_run_that_answers() -> None:
    async def scene(world: AssistantWorld) -> None:
        name = await world.thread("hi")
        made = await world.create_run(await world.assistant(), name, stream=True)
        events = checked(made)
        assert names(events) == [*BEGUN, *MESSAGE, *ENDED]
        whole = [data for kind, data in events if kind == "thread.message.completed"]
        assert whole[0]["content"][0]["text"]["value"] == said(events) != ""
        deltas = [data for kind, data in events if kind == "thread.message.delta"]
        first, second = (one["delta"]["content"][0]["text"] for one in deltas[:2])
        assert ("annotations" in first, "annotations" in second) == (True, False)
        last = events[-2][1]
        assert (last["status"], last["usage"]["total_tokens"] > 100) == ("completed", True)
        plan = world.plans[-1]
        assert plan.due[0] == plan.due[1] == 0
        assert plan.due[2] == plan.ttft == 1.0
        world.now += 100
        stored = await world.run(name, last["id"])
        assert stored["usage"] == last["usage"]
        assert (await world.messages(name))[-1]["content"] == whole[0]["content"]
        assert (await world.messages(name))[-1]["id"] == whole[0]["id"]
        steps = await world.steps(name, last["id"])
        assert [one["id"] for one in steps] == [
            data["id"] for kind, data in events if kind == "thread.run.step.completed"
        ]

    assisted(scene)


def test_a_run_with_its_thread() -> None:
    async def scene(world: AssistantWorld) -> None:
        messages = [{"role": "user", "content": "hi"}]
        assistant = await world.assistant()
        made = await world.create_run(assistant, None, thread={"messages": messages}, stream=True)
        events = checked(made)
        assert names(events) == ["thread.created", *BEGUN, *MESSAGE, *ENDED]
        world.now += 100
        assert len(await world.messages(events[0][1]["id"])) == 2

    assisted(scene)


def test_tools_of_the_service() -> None:
    async def scene(world: AssistantWorld) -> None:
        tools = [{"type": "code_interpreter"}, {"type": "file_search"}]
        name, assistant = await world.thread("hi"), await world.assistant(tools=tools)
        events = checked(await world.create_run(assistant, name, stream=True))
        assert names(events) == [*BEGUN, *TOOL, *TOOL, *MESSAGE, *ENDED]
        world.now += 100
        run = events[-2][1]
        code, search, _ = await world.steps(name, run["id"])
        (call,) = code["step_details"]["tool_calls"]
        assert call["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "14\n"}]
        (call,) = search["step_details"]["tool_calls"]
        assert "content" not in call["file_search"]["results"][0]
        forced = {"type": "file_search"}
        events = checked(await world.create_run(assistant, name, stream=True, tool_choice=forced))
        assert names(events) == [*BEGUN, *TOOL, *MESSAGE, *ENDED]

    assisted(scene)


def test_outputs_begin_another_stream() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant(tools=[WEATHER])
        events = checked(await world.create_run(assistant, name, stream=True))
        assert names(events) == [*BEGUN, *TOOL[:3], "thread.run.requires_action", "done"]
        run = events[-2][1]
        world.now += 30
        assert (await world.run(name, run["id"]))["required_action"] == run["required_action"]
        events = checked(await world.submit(name, run["id"], outputs(run), stream=True))
        assert names(events) == ["thread.run.step.completed", *BEGUN[1:], *MESSAGE, *ENDED]
        (call,) = events[0][1]["step_details"]["tool_calls"]
        assert call["function"]["output"] == "sunny"
        assert said(events) == "weather returned: sunny"
        assert events[-2][1]["started_at"] == run["started_at"]

    assisted(scene)


@pytest.mark.parametrize(
    ("tokens", "middle"),
    [
        (
            5,
            [*MESSAGE[:5], "thread.message.incomplete", "thread.run.step.failed"],
        ),
        (0, [*MESSAGE[:1], "thread.message.incomplete", "thread.run.step.failed"]),
    ],
)
def test_a_stream_that_fails(tokens: int, middle: list[str]) -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        events = checked(await world.create_run(assistant, name, stream=True))
        assert names(events)[-2:] == ["thread.run.failed", "done"]
        if tokens:
            assert names(events) == [*BEGUN, *middle, "thread.run.failed", "done"]
        world.now += 100
        run = await world.run(name, events[-2][1]["id"])
        assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")
        listed = await world.messages(name)
        if tokens:
            incomplete = events[-4][1]
            assert incomplete["content"][0]["text"]["value"] == said(events)
            assert listed[-1]["content"] == incomplete["content"]
            assert listed[-1]["incomplete_details"] == {"reason": "run_failed"}

    fault = f"{{model: '*', fault: {{error_event: {{after_tokens: {tokens}}}}}}}"
    assisted(scene, f"errors: {{rules: [{fault}]}}\n")


def test_a_stream_that_is_cut_short() -> None:
    async def scene(world: AssistantWorld) -> None:
        name, assistant = await world.thread("hi"), await world.assistant()
        made = await world.create_run(assistant, name, stream=True, max_completion_tokens=5)
        events = checked(made)
        assert names(events)[-4:] == [
            "thread.message.incomplete",
            "thread.run.step.completed",
            "thread.run.incomplete",
            "done",
        ]

    assisted(scene)
