"""HTTP/2 over a raw socket: a client that decides how much it lets the server send."""

import asyncio
from collections import defaultdict
from ssl import SSLContext
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.settings import SettingCodes

from tests.live.http1 import CHAT, HOST, secured

Header = tuple[str, str]


class Http2:
    """One connection with many streams; ``async with await Http2.to(port)`` breaks it off at the
    end. ``window`` is how many bytes of a stream the server may send; unless ``None``, the client
    lets it send no more than that however much it has read."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, window: int | None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._grants = window is None
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        if window is not None:
            self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.statuses: dict[int, int] = {}
        self.bodies: defaultdict[int, bytearray] = defaultdict(bytearray)
        self.over: set[int] = set()

    @classmethod
    async def to(cls, port: int, window: int | None = None, tls: SSLContext | None = None) -> Self:
        usual = secured.get()
        if tls is None and usual is not None:
            tls = usual.http2
        connection = cls(*await asyncio.open_connection(HOST, port, ssl=tls), window)
        await connection._flush()
        return connection

    async def ask(self, body: bytes, *headers: Header, path: str = CHAT, whole: bool = True) -> int:
        """Send a POST request, with its body to the end unless not ``whole``; its stream's id."""
        stream = self._h2.get_next_available_stream_id()
        head = [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", HOST)]
        self._h2.send_headers(stream, [*head, ("content-type", "application/json"), *headers])
        self._h2.send_data(stream, body, end_stream=whole)
        await self._flush()
        return stream

    async def ping(self) -> None:
        """Make the server say something that is no part of an answer."""
        self._h2.ping(b"llmsim!!")
        await self._flush()

    async def reset(self, stream: int) -> None:
        """Say that an answer is not wanted any more."""
        self._h2.reset_stream(stream, ErrorCodes.CANCEL)
        await self._flush()

    async def read(self) -> bool:
        """Take what comes next; False once the server has closed the connection."""
        try:
            data = await self._reader.read(1 << 16)
            for event in self._h2.receive_data(data) if data else ():
                self._take(event)
            await self._flush()
        except ConnectionError:
            return False
        return bool(data)

    async def answer(self, stream: int) -> tuple[int, bytes]:
        """Status and body of an answer once it is whole. Raises EOFError if it breaks off."""
        while stream not in self.over:
            if not await self.read():
                raise EOFError
        return self.statuses[stream], bytes(self.bodies[stream])

    def _take(self, event: Event) -> None:
        if isinstance(event, ResponseReceived):
            headers = dict(event.headers or ())
            self.statuses[event.stream_id or 0] = int(headers[":status"])
        elif isinstance(event, DataReceived):
            stream = event.stream_id or 0
            self.bodies[stream] += event.data or b""
            if self._grants and event.flow_controlled_length:
                self._h2.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, StreamEnded | StreamReset):
            self.over.add(event.stream_id or 0)

    async def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())
        await self._writer.drain()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()
