"""A gateway whose cost is known: 5 ms on the way in, 0.3 ms a token, every second token held.

    python -m tests.overhead.toy_gateway PORT UPSTREAM_PORT LOG

It renames the headers of answers to ``x-toy-…``, strips ``x-llmsim-seed``, adds ``via``, and asks
again when its upstream answers with 503. Its own work is not on top of the times it adds: they
count from when the kernel had what came, and its loop sleeps to the microsecond (``select``).
A busy machine makes it later than that; what it really took is a JSON line for each request in LOG,
in milliseconds (:class:`Took`).
"""

import asyncio
import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TextIO

from llmsim.overhead.load_client import ANCILLARY, READ, SO_TIMESTAMPNS, STAMP

WAY_IN = 0.005
PER_TOKEN = 0.0003
HELD = 2
RENAMED = (b"server-timing", b"x-request-id", b"openai-version")
TEXT = (b'"content":"', b'"text_delta"', b'"response.output_text.delta"', b'"text":"')
NO_TEXT = b'"content":""'


@dataclass
class Took:
    """What one request took here: until it left; until the head did, the first text, counted from
    when the first text was here, the last text and the last byte. And how often it was asked."""

    way_in: float = 0.0
    head: float = 0.0
    first: float = 0.0
    last: float = 0.0
    end: float = 0.0
    attempts: int = 0


def since(stamp: float) -> float:
    """Milliseconds."""
    return (time.time() - stamp) * 1e3


class Stamped:
    """A socket whose data come with the time at which the kernel had them."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    async def receive(self) -> tuple[bytes, float]:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(READ, ANCILLARY)
            except BlockingIOError:
                readable = loop.create_future()
                loop.add_reader(self.socket, readable.set_result, None)
                await readable
                loop.remove_reader(self.socket)
                continue
            for _, _, payload in ancillary:
                seconds, nanoseconds = STAMP.unpack(payload)
                return data, seconds + nanoseconds / 1e9
            return data, time.time()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)


async def until(moment: float) -> None:
    await asyncio.sleep(max(moment - time.time(), 0))


async def whole_request(client: Stamped) -> tuple[bytes, float]:
    """One request, and when the last of it came; empty when the client has gone."""
    data, stamp = await client.receive()
    while data:
        head, end, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if end and len(body) >= int(fields.get(b"content-length", b"0")):
            return data, stamp
        more, stamp = await client.receive()
        if not more:
            break
        data += more
    return b"", stamp


async def asked(
    upstream_port: int, request: bytes, arrived: float, took: Took
) -> tuple[Stamped, bytes, bytes, float]:
    """A connection with its answer: the head, what came with it, and when. The request goes out
    when it is due, over a connection that is there by then."""
    while True:
        upstream = Stamped(socket.socket())
        await asyncio.get_running_loop().sock_connect(upstream.socket, ("127.0.0.1", upstream_port))
        await until(arrived + WAY_IN)
        await upstream.send(request)
        took.way_in, took.attempts = since(arrived), took.attempts + 1
        data = b""
        while b"\r\n\r\n" not in data:
            more, stamp = await upstream.receive()
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 503"):
            return upstream, head, rest, stamp
        upstream.socket.close()


def changed(head: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"x-llmsim-seed")]
    lines = [b"x-toy-" + line if line.startswith(RENAMED) else line for line in lines]
    return b"\r\n".join([*lines, b"via: toy", b"", b""])


class Chunks:
    """The chunks of a chunked body, one event each."""

    def __init__(self) -> None:
        self._rest = b""
        self.done = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._rest += data
        while not self.done:
            line, end, rest = self._rest.partition(b"\r\n")
            size = int(line, 16) if end and line else -1
            if size < 0 or len(rest) < size + 2:
                return
            self.done = not size
            self._rest = rest[size + 2 :]
            if size:
                yield rest[:size]


def events(chunk: bytes) -> Iterator[bytes]:
    for event in chunk.split(b"\n\n"):
        if event:
            yield event + b"\n\n"


async def stream(
    client: Stamped, upstream: Stamped, head: bytes, rest: bytes, stamp: float, took: Took
) -> None:
    chunks, held, tokens, first = Chunks(), b"", 0, 0.0
    await client.send(changed(head))
    took.head = since(stamp)
    while True:
        for chunk in chunks.feed(rest):
            for event in events(chunk):
                held += b"%x\r\n%b\r\n" % (len(event), event)
                if any(text in event for text in TEXT) and NO_TEXT not in event:
                    tokens += 1
                    first = first or stamp
                    if tokens % HELD == 0:
                        await until(stamp + PER_TOKEN)
                        await client.send(held)
                        took.first = took.first or since(first)
                        took.last, held = since(stamp), b""
        if chunks.done:
            await client.send(held + b"0\r\n\r\n")
            took.end = since(stamp)
            return
        rest, stamp = await upstream.receive()
        if not rest:
            return


async def serve(client: Stamped, upstream_port: int, log: TextIO) -> None:
    while True:
        took = Took()
        request, stamp = await whole_request(client)
        if not request:
            break
        upstream, head, rest, stamp = await asked(upstream_port, request, stamp, took)
        if b"transfer-encoding: chunked" in head.lower():
            await stream(client, upstream, head, rest, stamp, took)
        else:
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            while len(rest) < size:
                more, stamp = await upstream.receive()
                rest += more
            await client.send(changed(head) + rest)
            took.head = took.first = took.last = took.end = since(stamp)
        upstream.socket.close()
        print(json.dumps(asdict(took)), file=log, flush=True)
    client.socket.close()


async def main(port: int, upstream_port: int, log: TextIO) -> None:
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", port), backlog=512)
    listening.setblocking(False)
    tasks = set()
    while True:
        client, _ = await loop.sock_accept(listening)
        task = loop.create_task(serve(Stamped(client), upstream_port, log))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    with (
        open(sys.argv[3], "w", encoding="ascii") as file,
        asyncio.Runner(
            loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
        ) as runner,
    ):
        runner.run(main(int(sys.argv[1]), int(sys.argv[2]), file))
