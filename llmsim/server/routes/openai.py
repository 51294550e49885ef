"""OpenAI's paths."""

from __future__ import annotations

from functools import partial

from llmsim.dialects.openai_chat import OpenAIChat
from llmsim.server.answering import Endpoint
from llmsim.server.context import Context
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/openai/v1")


def add(paths: Paths, context: Context) -> None:
    """Everything under ``/v1`` and ``/openai/v1``."""
    chat = Endpoint("/v1/chat/completions", OpenAIChat())
    answer = partial(context.answering.answer, endpoint=chat)
    for prefix in PREFIXES:
        paths.hot["POST", f"{prefix}/chat/completions"] = answer
