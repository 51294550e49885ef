"""Streams that are still open when something happens to their server."""

from json import loads
from typing import Any

from tests.live.http1 import CHAT, Connection, chat, request, slot_of
from tests.live.workers import pids

CONFIG = """
latency:
  profile: fast
  models:
    slow: {ttft_mean_ms: 50, ttft_stddev_ms: 0, tbt_mean_ms: 100, tbt_stddev_ms: 0}
"""


class SlowStream:
    """An open stream of some ``tokens`` tokens, ten a second, whose first event has arrived."""

    def __init__(self, connection: Connection, first: Any, tokens: int) -> None:
        self.connection = connection
        self.id: str = first["id"]
        self.slot = slot_of(self.id)
        self.tokens = tokens

    @classmethod
    async def opened(cls, port: int, tokens: int) -> "SlowStream":
        connection = await Connection.to(port)
        body = chat(model="slow", stream=True, max_tokens=tokens)
        await connection.send(request("POST", CHAT, body))
        assert (await connection.head()).status == 200
        first = await connection.event()
        assert first is not None
        return cls(connection, loads(first), tokens)

    async def whole(self) -> bool:
        """Read to the end: whether nothing was missing. False for a stream that was cut."""
        try:
            *chunks, done = await self.connection.events()
        except (EOFError, ConnectionError):
            return False
        finally:
            self.connection.vanish()
        said = [loads(chunk)["choices"][0] for chunk in chunks]
        assert done == "[DONE]"
        assert said[-1]["finish_reason"] == "length"
        assert len(said) == self.tokens + 1
        return True


async def on_both(port: int, tokens: int, least: int = 3) -> list[SlowStream]:
    """Open streams until each of two workers has at least ``least``."""
    streams: list[SlowStream] = []
    slots = pids(port)
    while min(sum(one.slot == slot for one in streams) for slot in slots) < least:
        streams.append(await SlowStream.opened(port, tokens))
        assert len(streams) < 100 * least, "one worker gets no connections"
    return streams
