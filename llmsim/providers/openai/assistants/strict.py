"""Assistants: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar

from llmsim.providers.openai.strict import (
    API,
    REASONING_GUIDE,
    check_effort,
    check_function,
    check_names,
    check_sampling,
    check_schema_format,
)
from llmsim.providers.rules import Rules
from llmsim.providers.wire.decoding import json_values

Body: TypeAlias = Mapping[str, Any]
T = TypeVar("T")

RULES: Rules[Body] = Rules()


def checked(read: Callable[..., T], name: str, strict: bool) -> Callable[..., T]:
    """What reads a body of that name, and if ``strict`` refuses what the live service does."""
    return partial(_checked, read, name) if strict else read


def _checked(read: Callable[..., T], name: str, body: bytes, *more: object) -> T:
    found = read(body, *more)
    values = json_values(body or b"{}")
    check_names(values, name)
    RULES.check(values, values.get("model") or "")
    return found


@RULES.checked(
    "tools",
    "Invalid '{where}': string does not match pattern. Expected a string that matches the pattern "
    "'^[a-zA-Z0-9_-]+$'.",
    API,
)
def _tools(body: Body) -> None:
    for place, tool in enumerate(body.get("tools") or ()):
        if tool["type"] == "function":
            function = tool["function"]
            schema = function.get("parameters")
            where = f"tools[{place}].function"
            check_function(function["name"], function.get("strict"), schema, where)


@RULES.checked(
    "sampling-of-reasoning",
    "Unsupported value: '{where}' does not support {value} with this model. Only the default (1) "
    "value is supported.",
    REASONING_GUIDE,
)
def _sampling_of_reasoning(body: Body) -> None:
    model = body.get("model")
    if model:
        effort = body.get("reasoning_effort")
        sampling = body.get("temperature"), body.get("top_p")
        check_sampling(model, *sampling, effort, "reasoning_effort")
        check_effort(model, effort, "reasoning_effort")


@RULES.checked("schema", "Invalid schema for response_format '{name}': {fault}", API)
def _schema(body: Body) -> None:
    form = body.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        schema = form["json_schema"]
        where = "response_format.json_schema"
        check_schema_format(schema["name"], schema.get("strict"), schema.get("schema"), where)
