"""Clients that ask for much and read nothing.

Each attack opens its connections, asks, and gives them back, still open: whoever attacks closes
them. ``tokens`` is the length of each answer, made as fast as can be.
"""

from tests.live.http1 import Connection, chat, post
from tests.live.http2 import Http2
from tests.live.websocket import create, opened

TINY = 4096
"""Bytes of a receive buffer that is soon full."""
MODEL = "mine"
"""It may answer at any length."""


def flood(tokens: int, itl_ms: str = "0.1") -> list[tuple[str, str]]:
    """The request headers of an answer that comes in a flood."""
    latency = f"ttft_mean_ms=0,ttft_stddev_ms=0,tbt_mean_ms={itl_ms},tbt_stddev_ms=0"
    return [("x-llmsim-latency", latency), ("x-llmsim-target-tokens", str(tokens))]


async def http1(port: int, connections: int, tokens: int) -> list[Connection]:
    """Streams over as many connections that are not read."""
    found = []
    for _ in range(connections):
        connection = await Connection.to(port, TINY)
        lines = (f"{name}: {value}" for name, value in flood(tokens))
        await connection.send(post(chat(stream=True, model=MODEL), *lines))
        found.append(connection)
    return found


async def http2(
    port: int, streams: int, tokens: int, stream: bool = True, window: int = 0
) -> list[Http2]:
    """Answers over one connection whose client opens no window for them."""
    connection = await Http2.to(port, window)
    for _ in range(streams):
        await connection.ask(chat(stream=stream, model=MODEL), *flood(tokens))
    return [connection]


async def websockets(port: int, connections: int, tokens: int) -> list[Connection]:
    """Sessions that are not read."""
    found = []
    for _ in range(connections):
        lines = (f"{name}: {value}" for name, value in flood(tokens))
        connection = await opened(port, TINY, lines=tuple(lines))
        await connection.send(create(model=MODEL))
        found.append(connection)
    return found
