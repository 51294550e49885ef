"""Chat completions: from a body to a request in neutral terms."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, get_args

from llmsim.core import AUTO, Effort, Request, Thinking, Tool
from llmsim.core.catalog import models
from llmsim.core.errors import invalid
from llmsim.providers.openai.chat import audio
from llmsim.providers.openai.chat.conversation import conversation
from llmsim.providers.openai.chat.params import DECODER, ChatRequest
from llmsim.providers.openai.chat.tools import answer_format, offered_tools, tool_choice
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire.decoding import MalformedBody, decode

WEB_SEARCH = Tool("web_search", hosted="web_search")
"""What ``web_search_options`` lets the model do, which its calls do not show."""


def read(body: bytes) -> Request:
    """The request in neutral terms. Raises BadRequest naming the ``param`` that is wrong."""
    try:
        wire = decode(DECODER, body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    limit = wire.max_completion_tokens
    tools = offered_tools(wire.tools, wire.functions)
    if wire.web_search_options is not None:
        tools = (*tools, WEB_SEARCH)
    response_format = wire.response_format
    return Request(
        wire.model,
        conversation(wire.messages),
        wire.stream is True,
        limit if limit is not None else wire.max_tokens,
        _stops(wire.stop) if wire.stop is not None else (),
        wire.n or 1,
        wire.seed,
        _logprobs(wire),
        _thinking(wire),
        tools,
        tool_choice(wire.tool_choice, wire.function_call, wire.parallel_tool_calls, tools)
        if tools
        else AUTO,
        answer_format(response_format) if response_format is not None else None,
        wire.store is True,
        wire,
        media=audio.media(body, wire),
    )


def _thinking(wire: ChatRequest) -> Thinking | None:
    """How the model is to think: by OpenAI's, OpenRouter's or DeepSeek's parameter."""
    effort = wire.reasoning_effort
    if wire.routed:
        return _routed(wire.reasoning if isinstance(wire.reasoning, dict) else {}, effort)
    if not shows_thoughts(wire.model):
        return None if effort is None else Thinking(effort)
    asked = wire.thinking.get("type") if isinstance(wire.thinking, dict) else None
    if asked == "disabled":
        return Thinking("none")
    return Thinking(effort, None, True, asked == "enabled")


def _routed(asked: dict[str, Any], effort: Effort | None) -> Thinking:
    effort = asked["effort"] if asked.get("effort") in get_args(Effort) else effort
    if asked.get("enabled") is False:
        return Thinking("none")
    budget = asked.get("max_tokens")
    most = budget if isinstance(budget, int) and budget > 0 else None
    return Thinking(effort, most, asked.get("exclude") is not True, True)


@lru_cache(maxsize=4096)
def shows_thoughts(model: str) -> bool:
    """Whether the model's thoughts are shown, as ``reasoning_content``: DeepSeek's are, and servers
    of open models do as it does. OpenAI's own models keep them to themselves."""
    resolved = models.resolve(model)
    return resolved.provider == "deepseek" or resolved.owner == models.UNKNOWN.owner


def _stops(stop: str | list[str]) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop)


def _logprobs(wire: ChatRequest) -> int | None:
    if wire.logprobs:
        return wire.top_logprobs or 0
    if wire.top_logprobs:
        raise invalid(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            "top_logprobs",
        )
    return None
