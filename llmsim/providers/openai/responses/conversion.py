"""Responses: from a request's parameters to neutral terms, and to the members in which the
response object echoes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import structs

from llmsim.core import AUTO, Message, Request, Thinking
from llmsim.core.catalog import models
from llmsim.core.errors import invalid
from llmsim.providers.openai.responses import inputs
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.params import ResponsesRequest, Wire
from llmsim.providers.openai.responses.tools import (
    TextConfig,
    TextFormat,
    answer_format,
    echoed_tools,
    offered_tools,
    tool_choice,
)

DEFAULT_MODEL = "gpt-4o"
"""What answers a request that names no model, as one with a stored prompt need not."""


def request(params: ResponsesRequest) -> Request:
    """The request in neutral terms. Raises BadRequest where its parameters contradict each other.

    It does not have the conversation it builds on yet: :func:`continued` adds that.
    """
    model = params.model or DEFAULT_MODEL
    _check_exclusive(params)
    continues = params.continues
    if isinstance(params.input, str) and params.instructions is None:
        messages: tuple[Message, ...] = (Message("user", params.input),)
    else:
        own = inputs.items(params.input)
        if not continues and (mistake := inputs.mismatch(own)) is not None:
            raise mistake
        messages = _messages(params.instructions, own)
    tools = offered_tools(params.tools, params.approved is not None) if params.tools else ()
    silent = params.generate is False
    return Request(
        model,
        messages,
        params.stream is True,
        0 if silent else params.max_output_tokens,
        logprobs=_logprobs(params),
        thinking=_thinking(params),
        tools=() if silent else tools,
        choice=tool_choice(params.tool_choice, params.parallel_tool_calls, tools)
        if params.tools
        else AUTO,
        format=answer_format(params.text),
        store=params.store is not False or params.conversation is not None,
        wire=Wire(params, _echo(params, model), continues),
    )


def continued(request: Request, items: Sequence[Item]) -> Request:
    """The same request with the whole conversation: ``items`` are those before it and its own,
    references replaced. Raises BadRequest where they do not fit together."""
    mistake = inputs.mismatch(items)
    if mistake is not None:
        raise mistake
    params: ResponsesRequest = request.wire.params
    return structs.replace(request, messages=_messages(params.instructions, items))


def _messages(instructions: str | None, items: Sequence[Item]) -> tuple[Message, ...]:
    """Never empty: a request without any input is one with an empty one."""
    return inputs.messages(instructions, items) or (Message("user"),)


def _check_exclusive(params: ResponsesRequest) -> None:
    """Raises BadRequest for parameters that exclude each other."""
    if params.previous_response_id is not None and params.conversation is not None:
        raise invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of these.",
            "previous_response_id",
            "mutually_exclusive_parameters",
        )
    if params.background and params.store is False:
        raise invalid("Background mode requires 'store' to be true.", "background")


def _logprobs(params: ResponsesRequest) -> int | None:
    if params.include is not None and "message.output_text.logprobs" in params.include:
        return params.top_logprobs or 0
    return params.top_logprobs or None


def _thinking(params: ResponsesRequest) -> Thinking | None:
    reasoning = params.reasoning
    return None if reasoning is None else Thinking(reasoning.effort, visible=params.summarized)


def _echo(params: ResponsesRequest, model: str) -> bytes:
    echo: dict[str, Any] = {
        "background": params.background is True,
        "instructions": params.instructions,
        "max_output_tokens": params.max_output_tokens,
        "max_tool_calls": params.max_tool_calls,
        "metadata": params.metadata or {},
        "model": models.plain(model),
        "parallel_tool_calls": params.parallel_tool_calls is not False,
        "previous_response_id": params.previous_response_id,
        "prompt_cache_key": params.prompt_cache_key,
        "reasoning": _reasoning(params, model),
        "safety_identifier": params.safety_identifier,
        "service_tier": _TIERS.get(params.service_tier, params.service_tier),
        "store": params.store is not False,
        "temperature": 1.0 if params.temperature is None else params.temperature,
        "text": _text(params.text),
        "tool_choice": "auto" if params.tool_choice is None else params.tool_choice,
        "tools": echoed_tools(params.tools),
        "top_logprobs": params.top_logprobs or 0,
        "top_p": 1.0 if params.top_p is None else params.top_p,
        "truncation": params.truncation or "disabled",
        "user": params.user,
    }
    if params.conversation is not None:
        echo["conversation"] = {"id": params.conversation_id}
    if params.prompt is not None:
        echo["prompt"] = params.prompt
    return msgspec.json.encode(echo)[1:]


# The tier that a request is served with, by the one it asks for.
_TIERS: dict[str | None, str] = {None: "default", "auto": "default", "fast": "priority"}


def _reasoning(params: ResponsesRequest, model: str) -> dict[str, str | None]:
    wanted = params.reasoning
    described = models.resolve(model)
    effort = wanted.effort if wanted is not None else None
    if effort is None and described.reasoning:
        effort = described.effort
    summary = wanted.summary or wanted.generate_summary if wanted is not None else None
    return {"effort": effort, "summary": summary}


def _text(config: TextConfig | None) -> dict[str, object]:
    text_format = config.format if config is not None else None
    verbosity = config.verbosity if config is not None else None
    return {
        "format": TextFormat() if text_format is None else text_format,
        "verbosity": verbosity or "medium",
    }
