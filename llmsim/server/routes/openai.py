"""``DELETE …/models/{id}``, which only OpenAI has."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Route

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.openai import model_list
from llmsim.providers.openai.provider import PREFIXES
from llmsim.runtime.holder import ConfigHolder
from llmsim.server.router import Router
from llmsim.server.routes.openai_json import route
from llmsim.server.services import Services

FINE_TUNED = "ft:"


def add(router: Router, services: Services) -> None:
    """The path, under all of OpenAI's prefixes."""
    for prefix in PREFIXES:
        router.cold.append(_delete(prefix, services.holder))


def _delete(prefix: str, holder: ConfigHolder) -> Route:
    """Fine-tuned models are anybody's to delete, and deleting one that is not there succeeds."""

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
