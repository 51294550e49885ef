"""HTTP/2: many requests at once on a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from llmsim.proxy.client.response import ServiceError, ServiceResponse, decoded
from llmsim.proxy.client.target import Outgoing

STREAM_WINDOW: Final = 1 << 20
"""Bytes of one answer that may be under way."""

ALL_WINDOW: Final = (1 << 31) - 1
"""The same for all of a connection: answers that are held must not hold others."""

SETTINGS: Final = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
    SettingCodes.MAX_HEADER_LIST_SIZE: 65_536,
}
CONFIGURATION: Final = H2Configuration(client_side=True, header_encoding=None)


class Http2Connection(asyncio.Protocol):
    """A connection to a service. ``lost`` is called with it when it is gone."""

    def __init__(self, lost: Callable[[Http2Connection], None]) -> None:
        self._lost = lost
        self._h2 = H2Connection(CONFIGURATION)
        self._answers: dict[int, ServiceResponse] = {}
        self._streams: dict[ServiceResponse, int] = {}
        self._held: dict[int, int] = {}
        self._bodies: dict[int, memoryview] = {}
        self._leaving = False
        self._transport: asyncio.Transport
        self.idle_since = 0.0

    @property
    def takes_more(self) -> bool:
        """Whether another request may be sent."""
        most = self._h2.remote_settings.max_concurrent_streams
        return not self._leaving and self._h2.open_outbound_streams < most

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._answers

    def send(self, request: Outgoing, timeout: float) -> ServiceResponse:
        """Send a request; what comes back is its answer. Raises ServiceError."""
        origin = request.origin
        headers = [
            (":method", request.method),
            (":authority", origin.authority),
            (":scheme", origin.scheme),
            (":path", request.target),
            *request.headers,
            *request.length,
        ]
        try:
            stream = self._h2.get_next_available_stream_id()
            encoded = [(name.encode(), value.encode()) for name, value in headers]
            self._h2.send_headers(stream, encoded, end_stream=not request.body)
        except ProtocolError as error:
            raise ServiceError(str(error)) from None
        response = ServiceResponse(self, timeout)
        self._answers[stream], self._streams[response] = response, stream
        if request.body:
            self._bodies[stream] = memoryview(request.body)
            self._send_body(stream)
        self._flush()
        return response

    def hold(self, response: ServiceResponse) -> None:
        # What is not acknowledged fills the window, and the service has to wait.
        stream = self._streams.get(response)
        if stream is not None:
            self._held.setdefault(stream, 0)

    def go_on(self, response: ServiceResponse) -> None:
        stream = self._streams.get(response)
        if stream is not None and stream in self._held:
            self._acknowledge(stream, self._held.pop(stream))
            self._flush()

    def let_go(self, response: ServiceResponse) -> None:
        stream = self._streams.get(response)
        if stream is None:
            return
        if not response.status:  # it may be that nobody is there any more
            self._leaving = True
        with suppress(ProtocolError):  # it may just have ended
            self._h2.reset_stream(stream, ErrorCodes.CANCEL)
        self._over(stream)
        self._flush()

    def close(self) -> None:
        """End the connection."""
        self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._h2.local_settings = Settings(client=True, initial_values=SETTINGS)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(ALL_WINDOW - 65_535)
        self._flush()

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._h2.receive_data(data):
                self._happened(event)
        except ProtocolError as error:
            self._broke(f"no HTTP/2: {error}")
        self._flush()
        if self._leaving and not self._answers:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._broke(str(exc or "closed"))
        self._lost(self)

    def _broke(self, why: str) -> None:
        self._leaving = True
        for stream, response in list(self._answers.items()):
            self._over(stream)
            response.end(ServiceError(why))
        self._transport.abort()

    def _happened(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self._came(event.stream_id, event.data, event.flow_controlled_length)
        elif isinstance(event, ResponseReceived):
            self._begun(event)
        elif isinstance(event, StreamEnded):
            response = self._over(event.stream_id)
            if response is not None:
                response.end()
        elif isinstance(event, StreamReset):
            response = self._over(event.stream_id)
            if response is not None:
                response.end(ServiceError("reset"))
        elif isinstance(event, WindowUpdated | RemoteSettingsChanged):
            for stream in list(self._bodies):
                self._send_body(stream)
        elif isinstance(event, ConnectionTerminated):
            self._leaving = True
            unseen = event.last_stream_id or 0
            for stream in [stream for stream in self._answers if stream > unseen]:
                response = self._over(stream)
                if response is not None:
                    response.end(ServiceError("closed"))

    def _begun(self, event: ResponseReceived) -> None:
        response = self._answers.get(event.stream_id)
        if response is None:
            return
        headers = [(bytes(name), bytes(value)) for name, value in event.headers]
        status = int(dict(headers)[b":status"])
        response.begin(status, decoded([pair for pair in headers if pair[0][:1] != b":"]))

    def _came(self, stream: int, content: bytes, size: int) -> None:
        response = self._answers.get(stream)
        if response is not None and content:
            response.add(content)
        if stream in self._held:
            self._held[stream] += size
        else:
            self._acknowledge(stream, size)

    def _acknowledge(self, stream: int, size: int) -> None:
        if size:
            with suppress(ProtocolError):  # the connection may be about to end
                self._h2.acknowledge_received_data(size, stream)

    def _send_body(self, stream: int) -> None:
        """Send as much of a request's body as the service takes now."""
        body = self._bodies[stream]
        try:
            while body:
                size = min(
                    self._h2.local_flow_control_window(stream),
                    self._h2.max_outbound_frame_size,
                    len(body),
                )
                if size <= 0:
                    break
                piece, body = body[:size], body[size:]
                self._h2.send_data(stream, bytes(piece), end_stream=not body)
        except ProtocolError:
            body = body[:0]  # it has been answered before all of it was sent
        if body:
            self._bodies[stream] = body
        else:
            del self._bodies[stream]

    def _over(self, stream: int) -> ServiceResponse | None:
        response = self._answers.pop(stream, None)
        self._bodies.pop(stream, None)
        self._acknowledge(stream, self._held.pop(stream, 0))
        if response is not None:
            del self._streams[response]
        if not self._answers:
            self.idle_since = asyncio.get_running_loop().time()
        return response

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)
