"""Responses over a WebSocket: each message of the client is a request, each message of the server
an event, one request after another.

Requests are answered as they are over HTTP; only the transport is different.
"""

from __future__ import annotations

import asyncio

from llmsim.core import Headers, Plan, Request
from llmsim.core.errors import BadRequest
from llmsim.core.plan import Chunk
from llmsim.pipeline.context import Call
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.responses import socket_messages
from llmsim.providers.openai.responses.response_object import response_id
from llmsim.providers.provider import Endpoint
from llmsim.providers.wire import sse
from llmsim.server.handler import RequestHandler
from llmsim.server.resources.responses import Responses
from llmsim.transport.port import too_large
from llmsim.transport.websocket import Socket


class ResponsesSession:
    """The requests of one connection. Its latest response can be continued even if not stored."""

    def __init__(
        self, socket: Socket, endpoint: Endpoint, handler: RequestHandler, responses: Responses
    ) -> None:
        self._socket = socket
        self._handler = handler
        self._responses = responses
        self._endpoint = endpoint
        self._latest: str | None = None

    async def serve(self) -> None:
        """Answer until the client leaves."""
        while (message := await self._socket.receive()) is not None:
            await self._turn(message.encode() if isinstance(message, str) else message)
        await self._socket.close()

    async def recall(self, request: Request) -> Request:
        """As :class:`Responses` does, with this connection's latest response, stored or not."""
        return await self._responses.recall(request, self._latest)

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | None:
        """As :class:`Responses` does."""
        self._latest = response_id(call.stamp.mark)
        return await self._responses.keep(call, plan, answer)

    async def _turn(self, message: bytes) -> None:
        try:
            event = socket_messages.client_event(message)
        except BadRequest as bad:
            status, body = openai_errors.failure(bad.failure)
            self._socket.send(socket_messages.error(status, [], body))
            return
        if event.type == socket_messages.STEER:
            refusal = socket_messages.not_steered(message)
            self._socket.send(socket_messages.with_stream_id(refusal, event.stream_id))
            return
        port = SocketPort(self._socket, message, event.stream_id)
        await self._handler.answer(port, self._endpoint, self)
        if port.stream is not None:
            await port.stream.ended.wait()


class SocketStream:
    """The events of one answer."""

    def __init__(self, socket: Socket, stream_id: str | None) -> None:
        self._socket = socket
        self._stream_id = stream_id
        self.ended = asyncio.Event()

    def send(self, data: Chunk) -> bool:
        connected = True
        for message in sse.messages(bytes(data)):
            connected = self._socket.send(socket_messages.with_stream_id(message, self._stream_id))
        return connected

    def close(self) -> None:
        self.ended.set()


class SocketPort:
    """One message as a request, and the answer to it as messages."""

    method = "POST"
    query = ""

    def __init__(self, socket: Socket, message: bytes, stream_id: str | None) -> None:
        self._socket = self.socket = socket
        self._message = message
        self._stream_id = stream_id
        self.path = socket.path
        self.scheme = socket.scheme
        self.stream: SocketStream | None = None

    def header(self, name: str) -> str | None:
        return self._socket.header(name)

    def names(self) -> list[str]:
        return self._socket.names()

    async def body(self, limit: int) -> bytes:
        if len(self._message) > limit:
            raise too_large(limit)
        return self._message

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole response is an error here: all others are streamed."""
        message = socket_messages.error(status, headers, body)
        self._socket.send(socket_messages.with_stream_id(message, self._stream_id))

    def open(self, status: int, headers: Headers) -> SocketStream:
        self.stream = SocketStream(self._socket, self._stream_id)
        return self.stream

    def arrived(self, begun: int, read: int, waits: bool) -> int:
        return begun

    def connection(self) -> None:
        return None

    async def left(self) -> None:
        await self._socket.gone.wait()

    def unread(self) -> int:
        return self._socket.unsent

    def peer(self) -> SocketPort:
        """The connection outlives the answer, which just ends."""
        return self

    def written(self) -> None:
        return None

    def hang_up(self, reset: bool) -> None:
        pass
