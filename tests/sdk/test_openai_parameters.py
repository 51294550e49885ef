"""Every parameter of chat completions that the `openai` package knows is accepted."""

from typing import Any

import pytest
from openai import OpenAI

MODEL = "gpt-5.4"
HI: Any = [{"role": "developer", "content": "string", "name": "name"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"name": "weather", "description": "looks outside", "parameters": SCHEMA}
ODD = {"name": "weather", "description": "looks outside", "parameters": {"foo": "bar"}}

PARAMETERS: dict[str, list[Any]] = {
    "audio": [{"format": "wav", "voice": "alloy"}],
    "frequency_penalty": [-2, 0.5, 2],
    "function_call": ["none", "auto"],
    "functions": [[FUNCTION], [ODD]],
    "logit_bias": [{"50256": -100}, {"foo": 0}, {}],
    "logprobs": [True, False],
    "max_completion_tokens": [0, 1, 4096],
    "max_tokens": [0, 1, 4096],
    "metadata": [{"foo": "string"}, {}],
    "modalities": [["text"]],
    "moderation": [
        {"model": "m", "policy": {"input": {"mode": "score"}, "output": {"mode": "score"}}}
    ],
    "n": [1, 2],
    "parallel_tool_calls": [True],
    "prediction": [{"type": "content", "content": "string"}],
    "presence_penalty": [-2, 0.5, 2],
    "prompt_cache_key": ["prompt-cache-key-1234"],
    "prompt_cache_options": [{"mode": "implicit", "ttl": "30m"}],
    "prompt_cache_retention": ["in_memory", "24h"],
    "reasoning_effort": ["none", "minimal", "low", "medium", "high", "xhigh"],
    "response_format": [{"type": "text"}],
    "safety_identifier": ["safety-identifier-1234"],
    "seed": [-9007199254740991, 0, 9007199254740991],
    "service_tier": ["auto", "default", "flex", "scale", "priority"],
    "stop": ["\n", ["\n", "END"], []],
    "store": [True, False],
    "temperature": [0, 1, 2],
    "tool_choice": [
        "none",
        "auto",
        "required",
        {"type": "function", "function": {"name": "weather"}},
    ],
    "tools": [[{"type": "function", "function": FUNCTION}]],
    "top_p": [0, 0.5, 1],
    "user": ["user-1234"],
    "verbosity": ["low", "medium", "high"],
    "web_search_options": [
        {
            "search_context_size": "low",
            "user_location": {"type": "approximate", "approximate": {"city": "city"}},
        }
    ],
}
TOGETHER = {"top_logprobs": {"logprobs": True}, "tool_choice": {"tools": PARAMETERS["tools"][0]}}

CASES = [
    pytest.param({name: value} | TOGETHER.get(name, {}), id=f"{name}={value!r:.30}")
    for name, values in {**PARAMETERS, "top_logprobs": [0, 20]}.items()
    for value in values
]
USAGE = {"include_usage": True, "include_obfuscation": True}


FINISHES = ("stop", "length", "tool_calls", "function_call")


def check(client: OpenAI, fields: dict[str, Any]) -> None:
    """Plain and streamed, with the client's own check of what comes back."""
    completions: Any = client.chat.completions
    plain = completions.create(model=MODEL, messages=HI, **fields)
    assert plain.choices[0].finish_reason in FINISHES
    chunks = list(completions.create(model=MODEL, messages=HI, **fields, stream=True))
    assert chunks[-1].choices[0].finish_reason in FINISHES


@pytest.mark.parametrize("fields", CASES)
def test_each_alone(openai_client: OpenAI, fields: dict[str, Any]) -> None:
    check(openai_client, fields)


def test_each_as_null(openai_client: OpenAI) -> None:
    check(openai_client, dict.fromkeys(PARAMETERS))


def test_all_together(openai_client: OpenAI) -> None:
    fields = {name: values[0] for name, values in PARAMETERS.items()}
    check(openai_client, fields | {"top_logprobs": 0})


@pytest.mark.parametrize("stream", [False, True])
def test_stream_options_with_and_without_a_stream(openai_client: OpenAI, stream: bool) -> None:
    completions: Any = openai_client.chat.completions
    answer = completions.create(model=MODEL, messages=HI, stream=stream, stream_options=USAGE)
    last = list(answer)[-1] if stream else answer
    assert last.usage.prompt_tokens > 0


def test_fields_nobody_knows_are_ignored(openai_client: OpenAI) -> None:
    completions: Any = openai_client.chat.completions
    extra = {"a_new_parameter": {"deep": [1, 2]}, "": None}
    answer = completions.create(
        model=MODEL,
        messages=HI,
        extra_body=extra,
        extra_headers={"x-new": "1"},
        extra_query={"y": "2"},
    )
    assert answer.choices[0].message.content
