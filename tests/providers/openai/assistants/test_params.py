"""Requests about assistants: what is wrong with one is said of the parameter that is wrong."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from llmsim.core.errors import BadRequest
from llmsim.providers.openai.assistants import params

MESSAGE = {"role": "user", "content": "hi"}
RUN = {"assistant_id": "asst_1"}


def assistant(body: bytes) -> Any:
    return params.assistant_fields(body, new=True)


@pytest.mark.parametrize(
    ("read", "body", "param", "code"),
    [
        (assistant, {}, "model", "missing_required_parameter"),
        (assistant, {"model": "m", "tools": [{"type": "x"}]}, "tools[0].type", "invalid_value"),
        (assistant, {"model": "m", "tools": [{"type": "function"}]}, "tools[0].function",
         "missing_required_parameter"),
        (assistant, {"model": "m", "tools": [{"type": "file_search"}] * 129}, "tools",
         "array_above_max_length"),
        (assistant, {"model": "m", "temperature": 3}, "temperature", "decimal_above_max_value"),
        (assistant, {"model": "m", "metadata": {"a": 1}}, "metadata[...]", "invalid_type"),
        (assistant, {"model": "m", "metadata": {str(n): "" for n in range(17)}}, "metadata",
         "object_above_max_properties"),
        (assistant, {"model": "m", "name": "x" * 257}, "name", "string_above_max_length"),
        (params.message_fields, {"content": "hi"}, "role", "missing_required_parameter"),
        (params.message_fields, {**MESSAGE, "role": "system"}, "role", "invalid_value"),
        (params.message_fields, {**MESSAGE, "content": ""}, "content", None),
        (params.message_fields, {**MESSAGE, "content": []}, "content", None),
        (params.message_fields, {**MESSAGE, "content": [{"type": "text"}]}, "content[0].text",
         "missing_required_parameter"),
        (params.message_fields, {**MESSAGE, "content": [{"type": "audio"}]}, "content[0].type",
         "invalid_value"),
        (params.thread_fields, {"messages": [{**MESSAGE, "content": ""}]}, "messages[0].content",
         None),
        (params.run_params, {}, "assistant_id", "missing_required_parameter"),
        (params.run_params, {**RUN, "truncation_strategy": {"type": "last_messages"}},
         "truncation_strategy.last_messages", "missing_required_parameter"),
        (params.run_params, {**RUN, "max_completion_tokens": 0}, "max_completion_tokens",
         "integer_below_min_value"),
        (params.run_params, {**RUN, "tool_choice": "always"}, "tool_choice", "invalid_value"),
        (params.run_params, {**RUN, "additional_messages": [{**MESSAGE, "content": ""}]},
         "additional_messages[0].content", None),
        (params.run_params, {**RUN, "thread": {"messages": [{**MESSAGE, "content": ""}]}},
         "thread.messages[0].content", None),
        (params.tool_outputs, {}, "tool_outputs", "missing_required_parameter"),
    ],
)  # fmt: skip
def test_mistakes(
    read: Callable[[bytes], Any], body: dict[str, Any], param: str, code: str | None
) -> None:
    with pytest.raises(BadRequest) as caught:
        read(orjson.dumps(body))
    assert (caught.value.failure.param, caught.value.failure.code) == (param, code)


def test_an_update_needs_no_model() -> None:
    assert params.assistant_fields(b'{"name":null}', new=False) == {"name": None}


@pytest.mark.parametrize("read", [params.thread_fields, params.metadata])
def test_an_empty_body_asks_for_nothing(read: Callable[[bytes], Any]) -> None:
    assert not read(b"")


@pytest.mark.parametrize(
    ("version", "fits"), [("assistants=v2", True), ("a, assistants=v2", True), (None, False),
                          ("assistants=v1", False)],
)  # fmt: skip
def test_the_header(version: str | None, fits: bool) -> None:
    if fits:
        params.check_header(version)
    else:
        with pytest.raises(BadRequest, match="OpenAI-Beta: assistants=v2"):
            params.check_header(version)
