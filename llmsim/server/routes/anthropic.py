"""Anthropic's paths."""

from __future__ import annotations

from functools import partial

from llmsim.dialects.anthropic import Anthropic, AnthropicCount
from llmsim.server.answering import Endpoint
from llmsim.server.context import Context
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/anthropic/v1")


def add(paths: Paths, context: Context) -> None:
    """Everything under ``/v1/messages``, also with ``/anthropic`` before it."""
    answer = context.answering.answer
    messages = Endpoint("/v1/messages", Anthropic())
    count = Endpoint("/v1/messages/count_tokens", AnthropicCount())
    for prefix in PREFIXES:
        paths.hot["POST", f"{prefix}/messages"] = partial(answer, endpoint=messages)
        paths.hot["POST", f"{prefix}/messages/count_tokens"] = partial(answer, endpoint=count)
