"""OpenAI's paths."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from llmsim.dialects import openai_models
from llmsim.dialects.openai_chat import OpenAIChat
from llmsim.dialects.openai_completions import OpenAICompletions
from llmsim.dialects.openai_embeddings import OpenAIEmbeddings
from llmsim.dialects.openai_moderations import OpenAIModerations
from llmsim.errors import BadRequest, Failure, Kind
from llmsim.exchange import Dialect
from llmsim.server.context import Context
from llmsim.server.live import Live
from llmsim.server.request import Endpoint
from llmsim.server.routes.openai_json import route
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/openai/v1")
FINE_TUNED = "ft:"


def dialects(strict: bool) -> dict[str, Dialect]:
    """What is asked and answered in one request, by the path after the prefix."""
    return {
        "/chat/completions": OpenAIChat(strict),
        "/completions": OpenAICompletions(),
        "/embeddings": OpenAIEmbeddings(),
        "/moderations": OpenAIModerations(),
    }


def add(paths: Paths, context: Context) -> None:
    """Everything under ``/v1`` and ``/openai/v1``."""
    for path, dialect in dialects(context.config.validation == "strict").items():
        answer = partial(context.answering.answer, endpoint=Endpoint(f"/v1{path}", dialect))
        for prefix in PREFIXES:
            paths.hot["POST", prefix + path] = answer
    for prefix in PREFIXES:
        paths.cold.append(_unlisting(prefix, context.live))


def _unlisting(prefix: str, live: Live) -> Route:
    """``DELETE …/models/{id}``: fine-tuned ones are anybody's to delete, none is ever missed."""

    async def delete(request: Request) -> bytes:
        name = request.path_params["id"]
        if not name.startswith(FINE_TUNED):
            live.regime.rulebook.model(name)
            message = "You have insufficient permissions for this operation."
            raise BadRequest(Failure(Kind.PERMISSION, message, code="insufficient_permissions"))
        return openai_models.deleted(name)

    return route(prefix + "/models/{id:path}", "DELETE", delete)
