"""Responses, under OpenAI's paths and those of Open Responses."""

from __future__ import annotations

import logging
import time
from functools import partial
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.routing import Route

from llmsim.core import Stamp
from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai import lists
from llmsim.providers.openai.provider import responses_endpoint
from llmsim.providers.openai.responses import stored
from llmsim.providers.openai.responses.codec import OpenAIResponses
from llmsim.providers.wire import sse
from llmsim.server.application import BROKEN
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

PREFIXES = ("/v1", "/openai/v1", "/openresponses/v1")

log = logging.getLogger("llmsim")


def add(paths: Router, context: Services) -> Responses:
    """What is under ``…/responses``, and its WebSocket. Gives what the endpoint remembers."""
    strict = context.config.validation == "strict"
    codec = OpenAIResponses(strict)
    archive = ResponseArchive(context.shared, context.store)
    responses = Responses(
        codec,
        context.shared,
        archive,
        Conversations(context.store),
        context.handler.settings,
    )
    retrieve = Retrieving(context, archive, codec)
    live = responses_endpoint(OpenAIResponses(strict, live=True))

    async def talk(socket: Socket) -> None:
        await ResponsesSession(socket, live, context.handler, responses).serve()

    for prefix in PREFIXES:
        paths.websockets[f"{prefix}/responses"] = talk
        under = f"{prefix}/responses/"
        one = PatternRoute("GET", partial(_is_one, under), retrieve.answer)
        paths.patterns.append(one)
        paths.cold += _cold(under, archive, responses)
    return responses


def _is_one(under: str, path: str) -> bool:
    """Whether it is the path of one response."""
    return path.startswith(under) and "/" not in path[len(under) :]


class Retrieving:
    """``GET …/responses/{id}``: the response, or the rest of its events as a stream."""

    def __init__(self, context: Services, archive: ResponseArchive, codec: OpenAIResponses) -> None:
        self._context = context
        self._archive = archive
        self._codec = codec

    async def answer(self, port: Port) -> None:
        """A handler."""
        try:
            await self._answer(port)
        except BadRequest as bad:
            _refuse(port, bad.failure)
        except Exception:
            log.exception("could not retrieve %s", port.path)
            _refuse(port, Failure(FailureKind.SERVER_ERROR, BROKEN))

    async def _answer(self, port: Port) -> None:
        query = parse_qs(port.query)
        kept = await self._archive.find(port.path.rpartition("/")[2])
        head = openai_errors.identity(unlogged_stamp())
        if query.get("stream", ["false"])[-1] not in ("true", "1"):
            port.respond(200, [("content-type", "application/json"), *head], kept.body)
            return
        settings = await self._context.handler.settings(kept.entry.model)
        start = now_us() - int(kept.elapsed * 1e6)
        planned = replay(kept, settings, self._codec, _after(query))
        stream = port.open(200, [("content-type", sse.CONTENT_TYPE), *head])
        self._context.scheduler.send(planned, start, stream, _uncounted)


def _refuse(port: Port, failure: Failure) -> None:
    port.respond(*refusal(failure, port.path, port.query, port.header))


def _after(query: dict[str, list[str]]) -> int:
    given = query.get("starting_after")
    if given is None:
        return -1
    if not (given[-1].isascii() and given[-1].isdigit()):
        message = f"Invalid 'starting_after': expected an integer, but got '{given[-1]}' instead."
        raise invalid(message, "starting_after", "invalid_type")
    return int(given[-1])


def _uncounted(whole: bool, first: float, end: float, lateness: float, sent: int) -> None:
    """A replay is no request of its own: the one it repeats has been counted."""


def _cold(under: str, archive: ResponseArchive, responses: Responses) -> list[Route]:
    async def delete(request: Request) -> bytes:
        return await archive.delete(request.path_params["id"])

    async def cancel(request: Request) -> bytes:
        return await archive.cancel(request.path_params["id"])

    async def items(request: Request) -> bytes:
        entry = (await archive.find(request.path_params["id"])).entry
        wanted = lists.paging(parse_qs(request.url.query))
        listed = stored.input_items(entry.body, entry.mark)
        return lists.page(listed, wanted)

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
