"""Responses, under OpenAI's paths and those of Open Responses."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.routing import Route

from llmsim.core import Stamp
from llmsim.core.errors import NESTED, BadRequest, Failure, FailureKind, invalid
from llmsim.providers.azure.calls import PREFIX as AZURE_PREFIX
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai import lists
from llmsim.providers.openai.provider import responses_endpoint
from llmsim.providers.openai.responses import stored
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.wire import sse
from llmsim.server.handler import BROKEN, LEAVING
from llmsim.server.pipeline_state import by_size, offload
from llmsim.server.refusals import refusal, unlogged_stamp
from llmsim.server.resources.conversations import Conversations
from llmsim.server.resources.response_archive import ResponseArchive
from llmsim.server.resources.response_replay import replay
from llmsim.server.resources.responses import Responses
from llmsim.server.resources.responses_socket import ResponsesSession
from llmsim.server.router import PatternRoute, Router
from llmsim.server.routes.openai_json import route
from llmsim.server.services import Services
from llmsim.transport.port import Port
from llmsim.transport.scheduler import now_us
from llmsim.transport.websocket import Socket

PREFIXES = ("/v1", "/openai/v1", "/openresponses/v1", AZURE_PREFIX)

log = logging.getLogger("llmsim")


def add(router: Router, services: Services) -> Responses:
    """What is under ``…/responses``, and its WebSocket. Gives what the endpoint remembers."""
    strict = services.config.validation == "strict"
    codec = OpenAIResponses(strict)
    archive = ResponseArchive(services.shared, services.store)
    responses = Responses(
        codec,
        services.shared,
        archive,
        Conversations(services.store),
        services.handler.settings,
    )
    retrieve = ResponseRetrieval(services, archive, codec)
    live = responses_endpoint(OpenAIResponses(strict, live=True))

    async def websocket(socket: Socket) -> None:
        await ResponsesSession(socket, live, services.handler, responses).serve()

    for prefix in PREFIXES:
        router.websockets[f"{prefix}/responses"] = websocket
        under = f"{prefix}/responses/"
        one = PatternRoute("GET", partial(_is_one, under), retrieve.answer)
        router.patterns.append(one)
        router.cold += _cold(under, archive, responses)
    return responses


def _is_one(under: str, path: str) -> bool:
    """Whether it is the path of one response."""
    return len(path) > len(under) and path.startswith(under) and "/" not in path[len(under) :]


class ResponseRetrieval:
    """``GET …/responses/{id}``: the response, or the rest of its events as a stream."""

    def __init__(
        self, services: Services, archive: ResponseArchive, codec: OpenAIResponses
    ) -> None:
        self._services = services
        self._archive = archive
        self._codec = codec

    async def answer(self, port: Port) -> None:
        """A handler."""
        try:
            await self._answer(port)
        except BadRequest as bad:
            _refuse(port, bad.failure)
        except RecursionError:
            _refuse(port, NESTED)
        except LEAVING:
            raise
        except BaseException:  # a panic of a compiled library is no Exception
            log.exception("could not retrieve %s", port.path)
            _refuse(port, Failure(FailureKind.SERVER_ERROR, BROKEN))

    async def _answer(self, port: Port) -> None:
        query = parse_qs(port.query)
        response = await self._archive.find(port.path.rpartition("/")[2])
        headers = openai_errors.identity(unlogged_stamp())
        if query.get("stream", ["false"])[-1] not in ("true", "1"):
            port.respond(200, [("content-type", "application/json"), *headers], response.body)
            return
        settings = await self._services.handler.settings(response.entry.model)
        start = now_us() - int(response.elapsed * 1e6)
        after = _after(query)
        planned = await offload(replay, response, settings, self._codec, after)
        stream = port.open(200, [("content-type", sse.CONTENT_TYPE), *headers])
        self._services.scheduler.send(planned, start, stream, _uncounted)


def _refuse(port: Port, failure: Failure) -> None:
    port.respond(*refusal(failure, port.path, port.query, port.header))


def _after(query: Mapping[str, Sequence[str | None]]) -> int:
    """The sequence number after which events are asked for; -1 for all of them."""
    value = query.get("starting_after", [None])[-1]
    if value is None:
        return -1
    if not (value.isascii() and value.isdigit()):
        message = f"Invalid 'starting_after': expected an integer, but got '{value}' instead."
        raise invalid(message, "starting_after", "invalid_type")
    return int(value)


def _uncounted(whole: bool, first: float, end: float, lateness: float, sent: int) -> None:
    """A replay is no request of its own: the one it repeats has been counted."""


def _cold(under: str, archive: ResponseArchive, responses: Responses) -> list[Route]:
    async def delete(request: Request) -> bytes:
        return await archive.delete(request.path_params["id"])

    async def cancel(request: Request) -> bytes:
        return await archive.cancel(request.path_params["id"])

    async def items(request: Request) -> bytes:
        entry = (await archive.find(request.path_params["id"])).entry
        paging = lists.paging(parse_qs(request.url.query))

        def page() -> bytes:
            return lists.page(stored.input_items(entry.body, entry.mark), paging)

        return await by_size(len(entry.body), page)

    async def count(request: Request) -> bytes:
        return await responses.input_tokens(await request.body())

    async def compact(request: Request) -> bytes:
        stamp = Stamp(unlogged_stamp().mark, int(time.time()))
        return await responses.compact(await request.body(), stamp)

    return [
        route(under + "input_tokens", "POST", count),
        route(under + "compact", "POST", compact),
        route(under + "{id}", "DELETE", delete),
        route(under + "{id}/cancel", "POST", cancel),
        route(under + "{id}/input_items", "GET", items),
    ]
