"""The listings of models, on every provider's paths. Who asks on a path that several have gets
the listing of their own provider."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llmsim.providers import registry
from llmsim.providers.provider import ModelListing
from llmsim.server.refusals import unlogged_stamp
from llmsim.server.router import Router
from llmsim.server.services import Services


def add(router: Router, services: Services) -> None:
    """``…/models`` and ``…/models/{id}`` of every provider."""
    holder = services.holder
    strict = services.config.validation == "strict"

    async def page(request: Request) -> Response:
        listing = _listing(request)
        query = parse_qs(request.url.query, keep_blank_values=True)
        models = holder.runtime.registry.listed(listing.vendor)
        return _response(listing, listing.page(models, query, strict))

    async def one(request: Request) -> Response:
        listing = _listing(request)
        model = holder.runtime.registry.model(request.path_params["id"])
        return _response(listing, listing.one(model))

    for path in listed_paths():
        router.cold += [Route(path, page), Route(f"{path}/{{id:path}}", one)]


def listed_paths() -> list[str]:
    """Every provider's paths of listings, those that several have once."""
    listings = [provider.models for provider in registry.PROVIDERS if provider.models is not None]
    return list(dict.fromkeys(path for listing in listings for path in listing.paths))


def _listing(request: Request) -> ModelListing:
    url = request.url
    listing = registry.of_request(url.path, url.query, request.headers.get).models
    assert listing is not None  # else the path would not be routed
    return listing


def _response(listing: ModelListing, body: bytes) -> Response:
    head = dict(listing.headers(unlogged_stamp()))
    return Response(body, headers=head, media_type="application/json")
