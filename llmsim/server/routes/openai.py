"""OpenAI's paths."""

from __future__ import annotations

from functools import partial
from typing import Final

from llmsim.dialects.openai_chat import OpenAIChat
from llmsim.dialects.openai_completions import OpenAICompletions
from llmsim.dialects.openai_embeddings import OpenAIEmbeddings
from llmsim.dialects.openai_moderations import OpenAIModerations
from llmsim.exchange import Dialect
from llmsim.server.context import Context
from llmsim.server.request import Endpoint
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/openai/v1")

DIALECTS: Final[dict[str, Dialect]] = {
    "/chat/completions": OpenAIChat(),
    "/completions": OpenAICompletions(),
    "/embeddings": OpenAIEmbeddings(),
    "/moderations": OpenAIModerations(),
}
"""What is asked and answered in one request, by the path after the prefix."""


def add(paths: Paths, context: Context) -> None:
    """Everything under ``/v1`` and ``/openai/v1``."""
    for path, dialect in DIALECTS.items():
        answer = partial(context.answering.answer, endpoint=Endpoint(f"/v1{path}", dialect))
        for prefix in PREFIXES:
            paths.hot["POST", prefix + path] = answer
