"""A WebSocket over a raw socket, for a client that does not read what it is sent."""

import json
import os
from typing import Any

from tests.live.http1 import Connection, request

PATH = "/v1/responses"
UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
CLOSE = 8
TEXT = 1


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole message of a client, which is always masked. RFC 6455, 5.2."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes([0x80 | opcode]) + length + mask + masked


def create(text: str = "hi", **fields: Any) -> bytes:
    """The message that asks for a response."""
    asked = {"type": "response.create", "model": "gpt-4o", "input": text}
    return frame(json.dumps(asked | fields).encode())


async def opened(
    port: int,
    receive_buffer: int | None = None,
    path: str = PATH,
    lines: tuple[str, ...] = (),
    status: int = 101,
) -> Connection:
    """A connection that has become a WebSocket, unless another ``status`` is expected."""
    connection = await Connection.to(port, receive_buffer)
    await connection.send(request("GET", path, b"", *UPGRADE, *lines))
    head = await connection.head()
    assert head.status == status, head
    return connection
