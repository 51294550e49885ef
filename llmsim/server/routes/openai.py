"""OpenAI's paths."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from llmsim.core import Codec
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.openai import model_list
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.embeddings import OpenAIEmbeddings
from llmsim.providers.openai.moderations import OpenAIModerations
from llmsim.runtime.holder import ConfigHolder
from llmsim.server.lifecycle import Endpoint
from llmsim.server.router import Router
from llmsim.server.routes.openai_json import route
from llmsim.server.services import Services

PREFIXES = ("/v1", "/openai/v1")
FINE_TUNED = "ft:"


def dialects(strict: bool) -> dict[str, Codec]:
    """What is asked and answered in one request, by the path after the prefix."""
    return {
        "/chat/completions": OpenAIChat(strict),
        "/completions": OpenAICompletions(),
        "/embeddings": OpenAIEmbeddings(),
        "/moderations": OpenAIModerations(),
    }


def add(paths: Router, context: Services) -> None:
    """Everything under ``/v1`` and ``/openai/v1``."""
    for path, codec in dialects(context.config.validation == "strict").items():
        answer = partial(context.handler.answer, endpoint=Endpoint(f"/v1{path}", codec))
        for prefix in PREFIXES:
            paths.hot["POST", prefix + path] = answer
    for prefix in PREFIXES:
        paths.cold.append(_unlisting(prefix, context.holder))


def _unlisting(prefix: str, holder: ConfigHolder) -> Route:
    """``DELETE …/models/{id}``: fine-tuned ones are anybody's to delete, none is ever missed."""

    async def delete(request: Request) -> bytes:
        name = request.path_params["id"]
        if not name.startswith(FINE_TUNED):
            holder.runtime.registry.model(name)
            message = "You have insufficient permissions for this operation."
            raise BadRequest(
                Failure(FailureKind.PERMISSION, message, code="insufficient_permissions")
            )
        return model_list.deleted(name)

    return route(prefix + "/models/{id:path}", "DELETE", delete)
