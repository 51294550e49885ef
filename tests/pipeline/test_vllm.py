"""Models that vLLM serves: its fields decide the answer, also where OpenAI's service is held to
its rules; any other model is as it is without."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from llmsim.core.errors import FailureKind
from tests.pipeline.simulated import CHAT, Simulated

CONFIG = """
latency: {profile: instant}
validation: VALIDATION
models: {available: [llama-3, gpt-4o], servers: {"llama-*": vllm}}
"""
COMPLETIONS = "openai_completions"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.fixture(params=["lenient", "strict"])
def sim(request: pytest.FixtureRequest, tmp_path: Path) -> Simulated:
    return Simulated(tmp_path, CONFIG.replace("VALIDATION", request.param))


def answered(sim: Simulated, codec: str = CHAT, **fields: Any) -> Any:
    fields = {"model": "llama-3", "max_tokens": 500, **fields}
    if codec == COMPLETIONS:
        fields.setdefault("prompt", "Once upon")
    call = sim.call(codec=codec, **fields)
    if codec == COMPLETIONS:
        body = orjson.loads(call.body)
        del body["messages"]
        call.body = orjson.dumps(body)
    plan = sim.plan(call)
    return orjson.loads(plan.frames[0]), plan, call


def text_of(answer: Any) -> str:
    (choice,) = answer["choices"]
    return str(choice["message"]["content"] if "message" in choice else choice["text"])


def is_city(text: str) -> bool:
    value = orjson.loads(text)
    return set(value) == {"city"} and isinstance(value["city"], str)


@pytest.mark.parametrize("codec", [CHAT, COMPLETIONS])
@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"guided_json": SCHEMA}, is_city),
        ({"guided_json": orjson.dumps(SCHEMA).decode()}, is_city),
        ({"structured_outputs": {"json": SCHEMA}}, is_city),
        ({"guided_choice": ["up", "down"]}, {"up", "down"}.__contains__),
        ({"structured_outputs": {"choice": ["up", "down"]}}, {"up", "down"}.__contains__),
        ({"guided_regex": r"\d{3}-[ab]+"}, re.compile(r"\d{3}-[ab]+").fullmatch),
        ({"guided_regex": "yes|no"}, re.compile("yes|no").fullmatch),
        ({"structured_outputs": {"regex": "[xyz]{4}"}}, re.compile("[xyz]{4}").fullmatch),
        (
            {"structured_outputs": {"json_object": True}},
            lambda text: orjson.loads(text) is not None,
        ),
        ({"guided_choice": ["only"], "guided_json": None}, {"only"}.__contains__),
        (
            {"top_k": 5, "chat_template_kwargs": {"x": 1}, "guided_choice": ["a"]},
            {"a"}.__contains__,
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_constraints(sim: Simulated, codec: str, fields: dict[str, Any], fits: Any) -> None:
    for seed in range(5):
        answer, plan, _ = answered(sim, codec, seed=seed, **fields)
        assert plan.failure is None, plan.failure
        assert fits(text_of(answer)), answer


def test_a_constraint_is_no_part_of_the_prompt(sim: Simulated) -> None:
    plain, constrained = (
        answered(sim, **fields)[0]["usage"]["prompt_tokens"]
        for fields in ({}, {"guided_json": SCHEMA})
    )
    assert plain == constrained


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"guided_grammar": "root ::= 'a'"}, "guided_grammar"),
        ({"structured_outputs": {"grammar": "x"}}, "structured_outputs.grammar"),
        ({"guided_choice": []}, "guided_choice"),
        ({"guided_json": "{"}, "guided_json"),
        ({"guided_json": {"type": "nothing"}}, "guided_json"),
        ({"guided_regex": "(a"}, "guided_regex"),
        ({"guided_regex": "a", "guided_choice": ["a"]}, "guided_regex"),
        ({"structured_outputs": {"regex": "a", "choice": ["a"]}}, "structured_outputs.regex"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_no_text_fits_is_refused_in_vllm_s_envelope(
    sim: Simulated, fields: dict[str, Any], param: str
) -> None:
    answer, plan, _ = answered(sim, **fields)
    assert plan.failure is not None
    assert plan.failure.kind is FailureKind.INVALID
    error = answer["error"]
    assert error.pop("message")
    assert error == {"type": "BadRequestError", "param": param, "code": 400}


@pytest.mark.parametrize(
    ("template", "thinks"),
    [
        ({"enable_thinking": True}, True),
        ({"enable_thinking": False}, False),
        ({"thinking": True}, True),
        ({"thinking": False}, False),
    ],
)
def test_the_chat_template_says_whether_the_model_thinks(
    sim: Simulated, template: dict[str, bool], thinks: bool
) -> None:
    answer, _, _ = answered(sim, chat_template_kwargs=template, reasoning_effort="high")
    assert ("reasoning_content" in answer["choices"][0]["message"]) is thinks


def test_heads_say_nothing_of_openai_s_service(sim: Simulated) -> None:
    for model, served in (("llama-3", True), ("gpt-4o", False)):
        call = sim.call(model=model)
        call.hosted = [("x-ratelimit-limit-requests", "1")]
        plan = sim.plan(call)
        names = {name for name, _ in call.endpoint.headers(plan, call.stamp)}
        assert {"content-type", "x-request-id"} <= names
        assert ("openai-version" in names) is not served
        assert (call.hosted is None) is served


def test_other_models_are_held_to_the_rules_of_their_service(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, CONFIG.replace("VALIDATION", "strict"))
    answer, plan, _ = answered(sim, model="gpt-4o", guided_choice=["a"])
    assert plan.failure is not None
    assert answer["error"]["message"] == "Unknown parameter: 'guided_choice'."
    assert answer["error"]["type"] == "invalid_request_error"


def test_other_models_ignore_vllm_s_fields(tmp_path: Path) -> None:
    sim = Simulated(tmp_path, CONFIG.replace("VALIDATION", "lenient"))
    answer, _, _ = answered(sim, model="gpt-4o", guided_choice=["a"])
    assert text_of(answer) != "a"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"model": 7}', b"[" * 5000],
    ids=["empty", "cut", "number", "nested"],
)
def test_bodies_without_a_model_are_refused_as_ever(tmp_path: Path, body: bytes) -> None:
    sim = Simulated(tmp_path, CONFIG.replace("VALIDATION", "lenient"))
    call = sim.call()
    call.body = body
    plan = sim.plan(call)
    assert plan.failure is not None
    assert orjson.loads(plan.frames[0])["error"]["type"] == "invalid_request_error"
