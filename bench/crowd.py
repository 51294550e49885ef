"""A crowd of clients that behave well and badly, for the soak."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bench.wire import WIRES, WORDS

STALL = 6.0
"""Seconds a stalling client does not read for."""
PAUSE = 0.05
"""Seconds a client waits between two requests, on average."""
TEXTS = 2000
"""Different prompts: so few that caches of them are soon full, and what grows later is a leak."""
PATIENCE = 60.0
"""Seconds after which an answer that does not end counts as one that hangs."""
UPGRADE = (
    b"GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXT, CLOSE = 1, 8
GARBAGE = b'{"model": "gpt-4o", "messages": [{"role": 7, "content": \xff\xfe'

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass(slots=True)
class Crowd:
    """Clients on one server, one request after another each, until they are to leave.

    ``outcomes`` counts how their requests ended: by status, or in a few words.
    """

    port: int
    clients: int
    seed: int = 7
    outcomes: Counter[str] = field(default_factory=Counter)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def come(self) -> None:
        """Start all clients."""
        for number in range(self.clients):
            rng = random.Random(self.seed * 1000 + number)
            self._tasks.append(asyncio.create_task(self._client(rng)))

    async def leave(self) -> None:
        """End all clients, wherever they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _client(self, rng: random.Random) -> None:
        while True:
            way = rng.choices(list(WAYS), list(WAYS.values()))[0]
            try:
                outcome = await asyncio.wait_for(self._one(way, rng), PATIENCE)
            except TimeoutError:
                outcome = "hangs"
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                outcome = "broken off"
            self.outcomes[outcome] += 1
            await asyncio.sleep(rng.expovariate(1 / PAUSE))

    async def _one(self, way: Way, rng: random.Random) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            return await way(reader, writer, rng)
        finally:
            # Not awaited: some of them leave with the answer half read.
            writer.transport.abort()


Way = Callable[[Reader, Writer, random.Random], Awaitable[str]]


def _words(rng: random.Random) -> list[str]:
    """One of the texts."""
    text = random.Random(rng.randrange(TEXTS))
    return text.sample(WORDS, text.randint(2, 20))


def _request(rng: random.Random, stream: bool, tokens: int) -> bytes:
    words = _words(rng)
    wire = WIRES[rng.choice(list(WIRES))]
    return wire.request([" ".join(words)], tokens, stream)


async def _status(reader: Reader) -> str:
    line = await reader.readline()
    if not line:
        return "closed"
    return line.split()[1].decode()


async def _whole(reader: Reader, writer: Writer, rng: random.Random) -> str:
    """Asks, and reads all of the answer."""
    raw = _request(rng, rng.random() < 0.6, rng.randint(1, 120))
    writer.write(raw.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
    status = await _status(reader)
    while await reader.read(1 << 16):
        pass
    return status


async def _leaving(reader: Reader, writer: Writer, rng: random.Random) -> str:
    """Leaves in the middle of a stream."""
    writer.write(_request(rng, True, 400))
    status = await _status(reader)
    await reader.read(rng.randint(1, 4000))
    return f"{status} left"


async def _impatient(reader: Reader, writer: Writer, rng: random.Random) -> str:
    """Leaves before the answer begins."""
    writer.write(_request(rng, rng.random() < 0.5, 50))
    await asyncio.sleep(rng.random() * 0.02)
    return "left early"


async def _stalling(reader: Reader, writer: Writer, rng: random.Random) -> str:
    """Asks for a long answer and does not read it."""
    writer.write(_request(rng, True, 8000))
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it
    await asyncio.sleep(STALL)
    return "stalled"


async def _garbled(reader: Reader, writer: Writer, rng: random.Random) -> str:
    """Sends what is no request."""
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    if rng.random() < 0.3:  # a body that never comes
        writer.write(f"{head}content-length: 5000\r\n\r\n".encode() + GARBAGE)
        await asyncio.sleep(0.05)
        return "half a body"
    writer.write(f"{head}content-length: {len(GARBAGE)}\r\n\r\n".encode() + GARBAGE)
    status = await _status(reader)
    await reader.read()
    return f"{status} garbled"


async def _talking(reader: Reader, writer: Writer, rng: random.Random) -> str:
    """Has a turn or more over a WebSocket, and leaves in any way."""
    writer.write(UPGRADE)
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.split()[1].decode()
    for _ in range(rng.randint(1, 3)):
        words = _words(rng)
        asked = {"type": "response.create", "model": "gpt-4o", "input": " ".join(words)}
        writer.write(_frame(json.dumps(asked).encode(), TEXT))
        await reader.read(rng.randint(1, 40_000))
    if rng.random() < 0.5:
        writer.write(_frame((1000).to_bytes(2, "big"), CLOSE))
        while await reader.read(1 << 16):
            pass
        return f"{status} talked"
    return f"{status} hung up"


def _frame(payload: bytes, opcode: int) -> bytes:
    """A whole message of a client, masked by nothing. RFC 6455, 5.2."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


WAYS: dict[Way, float] = {
    _whole: 80,
    _leaving: 8,
    _impatient: 5,
    _stalling: 2,
    _garbled: 5,
    _talking: 5,
}
