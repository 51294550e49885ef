"""The models, told in the words of the caller's provider: on the paths that providers share, and
under each one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.core import Headers, Stamp
from llmsim.core.catalog import models as catalog_models
from llmsim.core.catalog.models import Model
from llmsim.providers.anthropic import errors, model_list
from llmsim.providers.gemini import errors as gemini_errors
from llmsim.providers.gemini import model_list as gemini_model_list
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai import model_list as openai_model_list
from llmsim.server import providers
from llmsim.server.providers import Provider
from llmsim.server.router import Router
from llmsim.server.services import Services

PREFIXES = ("/v1", "/openai/v1", "/anthropic/v1", "/v1beta", "/gemini/v1", "/gemini/v1beta")


class Page(Protocol):
    """A listing, or the part of it that the query's parameters ask for. Raises BadRequest."""

    def __call__(self, models: Sequence[Model], query: Mapping[str, list[str]], /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """How one provider's API tells of models.

    ``of`` leaves the others' models out of the listing; None shows them all.
    """

    of: catalog_models.Provider | None
    page: Page
    one: Callable[[Model], bytes]
    headers: Callable[[Stamp], Headers]


LISTINGS: dict[Provider, Listing] = {
    "openai": Listing(
        None, openai_model_list.page, openai_model_list.model, openai_errors.identity
    ),
    "anthropic": Listing("anthropic", model_list.page, model_list.model, errors.headers),
    "google": Listing(
        "google", gemini_model_list.page, gemini_model_list.model, gemini_errors.headers
    ),
}


def add(paths: Router, context: Services) -> None:
    """``…/models`` and ``…/models/{id}`` of every provider."""
    holder = context.holder
    listings = dict(LISTINGS)
    if context.config.validation == "strict":
        page = partial(model_list.page, strict=True)
        listings["anthropic"] = replace(listings["anthropic"], page=page)

    async def many(request: Request) -> Response:
        listing = listings[_provider(request)]
        query = parse_qs(request.url.query, keep_blank_values=True)
        return _told(listing, listing.page(holder.runtime.registry.listed(listing.of), query))

    async def one(request: Request) -> Response:
        listing = listings[_provider(request)]
        return _told(listing, listing.one(holder.runtime.registry.model(request.path_params["id"])))

    for prefix in PREFIXES:
        paths.cold += [Route(f"{prefix}/models", many), Route(f"{prefix}/models/{{id:path}}", one)]


def _provider(request: Request) -> Provider:
    url = request.url
    return providers.provider(url.path, url.query, request.headers.get)


def _told(listing: Listing, body: bytes) -> Response:
    head = dict(listing.headers(providers.stamp()))
    return Response(body, headers=head, media_type="application/json")
