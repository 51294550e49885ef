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

from llmsim import catalog
from llmsim.catalog import Model
from llmsim.dialects import (
    anthropic_envelope,
    anthropic_models,
    gemini_envelope,
    gemini_models,
    openai,
    openai_models,
)
from llmsim.exchange import Headers, Stamp
from llmsim.server import providers
from llmsim.server.context import Context
from llmsim.server.providers import Provider
from llmsim.server.routes.paths import Paths

PREFIXES = ("/v1", "/openai/v1", "/anthropic/v1", "/v1beta", "/gemini/v1", "/gemini/v1beta")


class Page(Protocol):
    """A listing, or the part of it that the query's parameters ask for. Raises BadRequest."""

    def __call__(self, models: Sequence[Model], query: Mapping[str, list[str]], /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """How one provider's API tells of models.

    ``of`` leaves the others' models out of the listing; None shows them all.
    """

    of: catalog.Provider | None
    page: Page
    one: Callable[[Model], bytes]
    headers: Callable[[Stamp], Headers]


LISTINGS: dict[Provider, Listing] = {
    "openai": Listing(None, openai_models.page, openai_models.model, openai.identity),
    "anthropic": Listing(
        "anthropic", anthropic_models.page, anthropic_models.model, anthropic_envelope.headers
    ),
    "google": Listing("google", gemini_models.page, gemini_models.model, gemini_envelope.headers),
}


def add(paths: Paths, context: Context) -> None:
    """``…/models`` and ``…/models/{id}`` of every provider."""
    live = context.live
    listings = dict(LISTINGS)
    if context.config.validation == "strict":
        page = partial(anthropic_models.page, strict=True)
        listings["anthropic"] = replace(listings["anthropic"], page=page)

    async def many(request: Request) -> Response:
        listing = listings[_provider(request)]
        query = parse_qs(request.url.query, keep_blank_values=True)
        return _told(listing, listing.page(live.regime.rulebook.models(listing.of), query))

    async def one(request: Request) -> Response:
        listing = listings[_provider(request)]
        return _told(listing, listing.one(live.regime.rulebook.model(request.path_params["id"])))

    for prefix in PREFIXES:
        paths.cold += [Route(f"{prefix}/models", many), Route(f"{prefix}/models/{{id:path}}", one)]


def _provider(request: Request) -> Provider:
    url = request.url
    return providers.provider(url.path, url.query, request.headers.get)


def _told(listing: Listing, body: bytes) -> Response:
    head = dict(listing.headers(providers.stamp()))
    return Response(body, headers=head, media_type="application/json")
