"""A connection's other side, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from llmsim.proxy.client.response import ServiceResponse
from llmsim.proxy.client.target import Outgoing


class Wire:
    """A transport that keeps what is written. ``reading`` is whether more is wanted."""

    def __init__(self) -> None:
        self.written = b""
        self.reading = True
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def taken(self) -> bytes:
        """What was written since that was last asked."""
        data, self.written = self.written, b""
        return data

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def to(self, protocol: Any) -> None:
        """Connect a protocol."""
        protocol.connection_made(cast("asyncio.Transport", self))


def asking(method: str = "POST", body: bytes = b"{}", url: str = "http://h/v1/x?a=b") -> Outgoing:
    return Outgoing.to(method, url, [("accept", "*/*")], body)


class Reader:
    """Reads an answer in the background and keeps its pieces; it wants ``most``."""

    def __init__(self, response: ServiceResponse, most: int = 99) -> None:
        self.response, self.most = response, most
        self.pieces: list[bytes] = []
        self.task = asyncio.ensure_future(response.each(self.take))

    def take(self, content: bytes) -> bool:
        self.pieces.append(content)
        return len(self.pieces) < self.most

    async def ready(self) -> Reader:
        """Once it reads."""
        await asyncio.sleep(0)
        return self


async def soon(work: Awaitable[None]) -> None:
    async with asyncio.timeout(10):
        await work
