"""OpenAI's paths."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.dialects import openai_models
from llmsim.dialects.openai_chat import OpenAIChat
from llmsim.server.answering import Endpoint
from llmsim.server.context import Context
from llmsim.server.routes.paths import Paths
from llmsim.server.rulebook import Rulebook

PREFIXES = ("/v1", "/openai/v1")


def add(paths: Paths, context: Context) -> None:
    """Everything under ``/v1`` and ``/openai/v1``."""
    chat = Endpoint("/v1/chat/completions", OpenAIChat())
    answer = partial(context.answering.answer, endpoint=chat)
    for prefix in PREFIXES:
        paths.hot["POST", f"{prefix}/chat/completions"] = answer
        paths.cold += _models(prefix, context.rulebook)


def _models(prefix: str, rulebook: Rulebook) -> list[Route]:
    async def many(request: Request) -> Response:
        return _json(openai_models.models(rulebook.models()))

    async def one(request: Request) -> Response:
        return _json(openai_models.model(rulebook.model(request.path_params["id"])))

    return [Route(f"{prefix}/models", many), Route(f"{prefix}/models/{{id:path}}", one)]


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
