"""Responses: from the request to neutral words, and to what each state of the response tells of
it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import structs

from llmsim.core import AUTO, Message, Request, Thinking
from llmsim.core.catalog import models
from llmsim.core.errors import invalid
from llmsim.providers.openai.responses import inputs
from llmsim.providers.openai.responses import tools as responses_tools
from llmsim.providers.openai.responses.inputs import Item
from llmsim.providers.openai.responses.params import ResponsesRequest, Wire
from llmsim.providers.openai.responses.tools import TextConfig

DEFAULT_MODEL = "gpt-4o"
"""What answers a request that names no model, as one with a stored prompt need not."""


def request(given: ResponsesRequest) -> Request:
    """The request in neutral words. Raises BadRequest where it makes no sense.

    What it builds on is not there yet: :func:`continued` adds it.
    """
    model = given.model or DEFAULT_MODEL
    _check_apart(given)
    continues = given.continues
    if isinstance(given.input, str) and given.instructions is None:
        messages: tuple[Message, ...] = (Message("user", given.input),)
    else:
        own = inputs.items(given.input)
        if not continues and (mistake := inputs.mismatch(own)) is not None:
            raise mistake
        messages = _messages(given.instructions, own)
    tools = responses_tools.tools(given.tools) if given.tools else ()
    silent = given.generate is False
    return Request(
        model,
        messages,
        given.stream is True,
        0 if silent else given.max_output_tokens,
        logprobs=_logprobs(given),
        thinking=_thinking(given),
        tools=() if silent else tools,
        choice=responses_tools.choice(given.tool_choice, given.parallel_tool_calls, tools)
        if given.tools
        else AUTO,
        format=responses_tools.form(given.text),
        store=given.store is not False or given.conversation is not None,
        wire=Wire(given, _about(given, model), continues),
    )


def continued(asked: Request, items: Sequence[Item]) -> Request:
    """The same request with the whole conversation: ``items`` are those before it and its own,
    references replaced. Raises BadRequest where they do not fit together."""
    mistake = inputs.mismatch(items)
    if mistake is not None:
        raise mistake
    given: ResponsesRequest = asked.wire.params
    return structs.replace(asked, messages=_messages(given.instructions, items))


def _messages(instructions: str | None, items: Sequence[Item]) -> tuple[Message, ...]:
    """Never empty: a request without any input is one with an empty one."""
    return inputs.messages(instructions, items) or (Message("user"),)


def _check_apart(given: ResponsesRequest) -> None:
    """Parameters that exclude each other."""
    if given.previous_response_id is not None and given.conversation is not None:
        raise invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you "
            "are only providing one of these.",
            "previous_response_id",
            "mutually_exclusive_parameters",
        )
    if given.background and given.store is False:
        raise invalid("Background mode requires 'store' to be true.", "background")


def _logprobs(given: ResponsesRequest) -> int | None:
    if given.include is not None and "message.output_text.logprobs" in given.include:
        return given.top_logprobs or 0
    return given.top_logprobs or None


def _thinking(given: ResponsesRequest) -> Thinking | None:
    asked = given.reasoning
    return None if asked is None else Thinking(asked.effort, visible=given.summarized)


def _about(given: ResponsesRequest, model: str) -> bytes:
    told: dict[str, Any] = {
        "background": given.background is True,
        "instructions": given.instructions,
        "max_output_tokens": given.max_output_tokens,
        "max_tool_calls": given.max_tool_calls,
        "metadata": given.metadata or {},
        "model": models.plain(model),
        "parallel_tool_calls": given.parallel_tool_calls is not False,
        "previous_response_id": given.previous_response_id,
        "prompt_cache_key": given.prompt_cache_key,
        "reasoning": _reasoning(given, model),
        "safety_identifier": given.safety_identifier,
        "service_tier": _TIERS.get(given.service_tier, given.service_tier),
        "store": given.store is not False,
        "temperature": 1.0 if given.temperature is None else given.temperature,
        "text": _text(given.text),
        "tool_choice": "auto" if given.tool_choice is None else given.tool_choice,
        "tools": responses_tools.echoed(given.tools),
        "top_logprobs": given.top_logprobs or 0,
        "top_p": 1.0 if given.top_p is None else given.top_p,
        "truncation": given.truncation or "disabled",
        "user": given.user,
    }
    if given.conversation is not None:
        told["conversation"] = {"id": given.conversation_id}
    if given.prompt is not None:
        told["prompt"] = given.prompt
    return msgspec.json.encode(told)[1:]


# The tier that a request is served with, by the one it asks for.
_TIERS: dict[str | None, str] = {None: "default", "auto": "default", "fast": "priority"}


def _reasoning(given: ResponsesRequest, model: str) -> dict[str, str | None]:
    asked = given.reasoning
    described = models.resolve(model)
    effort = asked.effort if asked is not None else None
    if effort is None and described.reasoning:
        effort = described.effort
    summary = asked.summary or asked.generate_summary if asked is not None else None
    return {"effort": effort, "summary": summary}


def _text(config: TextConfig | None) -> dict[str, object]:
    form = config.format if config is not None else None
    verbosity = config.verbosity if config is not None else None
    return {
        "format": responses_tools.TextFormat() if form is None else form,
        "verbosity": verbosity or "medium",
    }
