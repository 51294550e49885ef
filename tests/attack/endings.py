"""Every way in which a connection or a request can end, over each transport.

A way is called with the port of a server and returns when its client has gone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from tests.live.http1 import CHAT, Connection, chat, chunked, post, request
from tests.live.http2 import Http2
from tests.live.websocket import CLOSE, create, frame, opened

Way = Callable[[int], Awaitable[None]]

LONG: Final = "x-llmsim-target-tokens: 3000"
LATE: Final = "x-llmsim-latency: ttft_mean_ms=60000,ttft_stddev_ms=0,tbt_mean_ms=1"
SOON: Final = LATE.replace("60000", "500")
PAUSE: Final = 0.05
"""Seconds in which a request is surely being answered, or waiting to be."""


def header(line: str) -> tuple[str, str]:
    """A header line as HTTP/2 has it."""
    name, _, value = line.partition(": ")
    return name, value


def answered(*lines: str, path: str = CHAT, **fields: Any) -> Way:
    """The client reads to the end, wherever that is."""

    async def way(port: int) -> None:
        async with await Connection.to(port) as connection:
            body = b"" if path != CHAT else chat(**fields)
            await connection.send(request("POST" if body else "GET", path, body, *lines))
            with suppress(EOFError, ConnectionError):
                await connection.answer()

    return way


def left(*lines: str, sent: bytes = b"", read: int = 0, reset: bool = False) -> Way:
    """The client goes after ``read`` pieces of the answer, which may be none yet."""

    async def way(port: int) -> None:
        async with await Connection.to(port) as connection:
            await connection.send(sent or post(chat(stream=True), *lines))
            await asyncio.sleep(PAUSE)
            if read:
                await connection.head()
            for _ in range(read):
                await connection.piece()
            if reset:
                connection.vanish()

    return way


def session(turns: int = 0, halfway: bool = False, end: str = "close") -> Way:
    """A WebSocket with so many turns, left halfway through another one or not; ``end`` is a
    close frame, the end of the connection or a reset."""

    async def way(port: int) -> None:
        async with await opened(port) as connection:
            for _ in range(turns):
                await connection.send(create())
                await asyncio.sleep(PAUSE)
            if halfway:
                await connection.send(create())
                await asyncio.sleep(PAUSE)
            if end == "close":
                await connection.send(frame((1000).to_bytes(2, "big"), CLOSE))
                assert await connection.drained(), "a close frame does not end the connection"
            elif end == "reset":
                connection.vanish()

    return way


async def refused_session(port: int) -> None:
    """A WebSocket where there is none."""
    (await opened(port, path="/v1/nothing", status=404)).close()


def multiplexed(line: str = "", leave: str = "", whole: bool = True) -> Way:
    """Ten requests over one HTTP/2 connection, reset or left in the middle or not."""

    async def way(port: int) -> None:
        async with await Http2.to(port) as connection:
            body, headers = chat(stream=bool(line)), [header(line)] if line else []
            streams = [await connection.ask(body, *headers, whole=whole) for _ in range(10)]
            if not leave:
                for stream in streams:
                    await connection.answer(stream)
                return
            await asyncio.sleep(PAUSE)
            if leave == "reset":
                for stream in streams:
                    await connection.reset(stream)

    return way


HTTP1: Final[dict[str, Way]] = {
    "whole": answered(),
    "stream": answered(stream=True),
    "refused": answered("x-llmsim-error: 429"),
    "cut": answered("x-llmsim-fault: cut", stream=True),
    "reset": answered("x-llmsim-fault: reset", stream=True),
    "unterminated": answered("x-llmsim-fault: unterminated", stream=True),
    "cold": answered(path="/v1/models"),
    "silent": left(sent=b"\r\n"),
    "head broken off": left(sent=b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"),
    "body broken off": left(sent=post(chat())[:-5]),
    "chunks broken off": left(sent=chunked(chat())[:-9]),
    "stream left": left(LONG, read=1),
    "stream reset": left(LONG, read=1, reset=True),
    "wait left": left(LATE),
    "answer left": left(sent=post(chat(), LATE)),
    "answer reset": left(sent=post(chat(), LATE), reset=True),
    # Granian finds that a client has left only once it has answered what was asked before.
    "pipelined": left(sent=post(chat(), SOON) + 3 * post(chat())),
    "events left": left(sent=request("GET", "/llmsim/events"), read=1),
    "events reset": left(sent=request("GET", "/llmsim/events"), read=1, reset=True),
}
WEBSOCKET: Final[dict[str, Way]] = {
    **{f"unused, {end}": session(end=end) for end in ("close", "leave", "reset")},
    **{f"a turn, {end}": session(1, end=end) for end in ("close", "leave", "reset")},
    **{f"halfway, {end}": session(1, True, end) for end in ("close", "leave", "reset")},
    "refused": refused_session,
}
HTTP2: Final[dict[str, Way]] = {
    "whole": multiplexed(),
    "stream": multiplexed("x-llmsim-target-tokens: 20"),
    "refused": multiplexed("x-llmsim-error: 429"),
    "stream left": multiplexed(LONG, "leave"),
    "stream reset": multiplexed(LONG, "reset"),
    "wait left": multiplexed(LATE, "leave"),
    "wait reset": multiplexed(LATE, "reset"),
    "body broken off": multiplexed(leave="leave", whole=False),
    "body reset": multiplexed(leave="reset", whole=False),
}
WAYS: Final[dict[str, Way]] = {
    f"{transport}: {name}": way
    for transport, ways in (("HTTP/1", HTTP1), ("WebSocket", WEBSOCKET), ("HTTP/2", HTTP2))
    for name, way in ways.items()
}
