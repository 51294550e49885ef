"""One request from bytes to plan: what is asked, looked up, settled and put elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec import structs

from llmsim.config import Config
from llmsim.core import Plan, Request, Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.pipeline.pipeline import LARGE_BODY
from llmsim.runtime.runtime_config import runtime_config
from llmsim.server.pipeline_state import pipeline_state
from llmsim.state.shared_state import SharedState, new_segment
from tests.pipeline.simulated import Simulated, failure, said

INSTANT = "latency: {profile: instant}"


def test_requests_without_a_seed_are_answered_each_in_their_own_way(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    plans = [sim.ask() for _ in range(5)]
    assert len({plan.seed for plan in plans}) == 5
    assert len({said(plan) for plan in plans}) == 5


def test_workers_draw_seeds_of_their_own() -> None:
    """The same with the state of a server's workers."""
    config = Config()
    segment = new_segment(config)
    states = [pipeline_state(SharedState(segment)) for _ in range(2)]
    seeds = [state.fresh() for _ in range(50) for state in states]
    assert len(set(seeds)) == 100
    assert runtime_config(config, states[0]).pipeline is not None


@pytest.mark.parametrize("text", [INSTANT, f"{INSTANT}\nseed: 3"])
def test_the_seed_of_a_request_decides_its_answer(tmp_path: Path, text: str) -> None:
    first, second = Simulated(tmp_path, text), Simulated(tmp_path, text)
    assert first.ask(seed=8).frames[0] == second.ask(seed=8).frames[0]
    assert said(first.ask(seed=8)) != said(first.ask(seed=9))


def test_a_configured_seed_makes_the_same_of_the_same_body(tmp_path: Path) -> None:
    first, second = (Simulated(tmp_path, f"{INSTANT}\nseed: 3") for _ in range(2))
    same = [first.ask(), first.ask(), second.ask()]
    assert len({plan.frames[0] for plan in same}) == 1
    assert first.ask("Something else.").seed != same[0].seed
    other = Simulated(tmp_path, f"{INSTANT}\nseed: 4")
    assert other.ask().seed != same[0].seed


def test_the_generator_sequence_gives_each_request_the_next_text(tmp_path: Path) -> None:
    response = "response: {generator: sequence, sequence: [one, two, three]}"
    sim = Simulated(tmp_path, f"{INSTANT}\n{response}")
    assert [said(sim.ask()) for _ in range(4)] == ["one", "two", "three", "one"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"messages": "hi"}, FailureKind.INVALID),
        ({"model": "nobody/serves-this"}, FailureKind.MODEL_NOT_FOUND),
        ({"model": "gpt-4o@llmsim:seed=x"}, FailureKind.INVALID),
    ],
)
def test_what_cannot_be_served_has_a_plan_too(
    tmp_path: Path, fields: dict[str, Any], kind: FailureKind
) -> None:
    sim = Simulated(tmp_path, "models: {unknown: reject}")
    call = sim.call(**fields)
    plan = sim.plan(call)
    assert failure(plan).kind is kind
    assert "error" in orjson.loads(plan.frames[0])
    assert len(plan.due) == 1


class Memory:
    """Recalls requests with another question, or not at all."""

    def __init__(self, refuses: bool = False) -> None:
        self._refuses = refuses

    async def recall(self, request: Request) -> Request:
        if self._refuses:
            raise BadRequest(Failure(FailureKind.NOT_FOUND, "forgotten"))
        return structs.replace(request, seed=77)

    async def keep(
        self, request: Request, body: bytes, answer: bytes, stamp: Stamp
    ) -> bytes | None:
        return None


def test_an_endpoint_that_remembers_adds_what_it_knows(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    call = sim.call()
    call.memory = Memory()
    assert sim.plan(call).seed == 77
    assert call.request.seed == 77
    forgetful = sim.call()
    forgetful.memory = Memory(refuses=True)
    assert failure(sim.plan(forgetful)).kind is FailureKind.NOT_FOUND
    assert forgetful.model == "gpt-4o"  # for the statistics


class Offloading:
    """Calls functions at once and remembers which."""

    def __init__(self) -> None:
        self.called: list[str] = []

    async def __call__(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.called.append(function.__name__)
        return function(*args, **kwargs)


def answers(schema: dict[str, Any]) -> dict[str, Any]:
    """A request for JSON of that schema."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return {"response_format": form}


OBJECT = answers({"type": "object"})
HUGE = answers({"type": "array", "minItems": 5_000, "items": {"type": "integer"}})
WHOLE = {"logprobs": True, "top_logprobs": 20}


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("Hi", {}, []),
        ("words " * 4_000, {}, ["tokens"]),
        ("Hi", OBJECT, []),
        ("Hi", {**OBJECT, "user": "x" * LARGE_BODY}, []),
        ("Hi", HUGE, ["plan"]),
        ("Hi", {"tools": [{"type": "function", "function": {"name": "f"}}]}, []),
        ("Hi", {"n": 100}, []),
        ("Hi", {"n": 100, "stream": True}, ["plan"]),
        ("Hi", {"logprobs": True}, []),
        ("Hi", WHOLE, ["plan"]),
        ("Hi", {"user": "x" * LARGE_BODY}, []),
        ("Hi", {"metadata": {str(key): "" for key in range(5_000)}}, ["decode"]),
    ],
)
def test_what_takes_long_keeps_nobody_waiting(
    tmp_path: Path, text: str, fields: dict[str, Any], expected: list[str]
) -> None:
    sim = Simulated(tmp_path, INSTANT)
    sim.ask(**OBJECT)  # from now on model and schema are known
    offload = Offloading()
    sim.with_state(offload=offload)
    sim.ask()
    offload.called.clear()
    assert sim.ask(text, **fields).status == 200
    assert offload.called == expected


def test_a_tokenizer_that_has_to_be_built_keeps_nobody_waiting(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    offload = Offloading()
    sim.with_state(offload=offload)
    ready = sim.pipeline.models.ready("gpt-4o")
    asyncio.run(sim.pipeline.settings("gpt-4o"))
    asyncio.run(sim.pipeline.settings("gpt-4o"))
    assert offload.called == ["settings"] * (not ready)


def test_a_prompt_that_was_sent_before_is_cached(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, INSTANT)
    long = "word " * 2_000
    cached = [usage(sim.ask(long)).cached for _ in range(2)]
    assert cached[0] == 0
    assert cached[1] >= 1024
    sim.now += 24 * 3600
    assert usage(sim.ask(long)).cached == 0


def usage(plan: Plan) -> Any:
    assert plan.completion is not None
    return plan.completion.usage
