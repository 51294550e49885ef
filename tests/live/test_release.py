"""Nothing that ends waits for the garbage collector, which these servers' workers do without."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.attack.endings import WAYS, Way, session
from tests.live.watch import settled, stats
from tests.serving import Server

SECOND = 1.0
"""In which the server has closed what its clients have left."""


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("uncollected")
    (folder / "sitecustomize.py").write_text("import gc\n\ngc.disable()\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        server = serve("--workers", "1", "--latency", "fast")
    with server:
        yield server
    assert "Traceback" not in server.output()


def sockets(pid: int) -> int:
    """How many sockets a process has open."""
    folder, found = Path(f"/proc/{pid}/fd"), 0
    for name in os.listdir(folder):
        with suppress(OSError):  # closed meanwhile
            found += os.readlink(folder / name).startswith("socket:")
    return found


def all_gone(pid: int, before: int) -> None:
    """Fails unless the process has no more sockets than before within a second."""
    deadline = time.monotonic() + SECOND
    while (now := sockets(pid)) > before:
        assert time.monotonic() < deadline, f"{now - before} sockets are left"
        time.sleep(0.02)


def take(sim: Server, way: Way, count: int) -> None:
    """So many clients, 50 at a time, after which nothing must be left of them."""
    (worker,) = stats(sim.port)["workers"]
    time.sleep(0.1)  # until the connection that asked is closed
    before = sockets(worker["pid"])

    async def one(gate: asyncio.Semaphore) -> None:
        async with gate:
            await way(sim.port)

    async def scene() -> None:
        gate = asyncio.Semaphore(50)
        await asyncio.gather(*(one(gate) for _ in range(count)))

    asyncio.run(scene())
    all_gone(worker["pid"], before)
    settled(sim.port)


@pytest.mark.parametrize("name", WAYS)
def test_a_connection_is_closed_however_it_ends(sim: Server, name: str) -> None:
    take(sim, WAYS[name], 20)


def test_no_session_of_hundreds_is_left(sim: Server) -> None:
    for halfway in (False, True):
        take(sim, session(1, halfway), 200)


def test_who_leaves_during_a_websockets_handshake_is_no_error(sim: Server) -> None:
    handshake = (
        b"GET /v1/responses HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    (worker,) = stats(sim.port)["workers"]
    time.sleep(0.1)  # until the connection that asked is closed
    before = sockets(worker["pid"])
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", sim.port)) as client:
            client.sendall(handshake)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    asyncio.run(session(1)(sim.port))  # after them, so the worker has seen them all
    all_gone(worker["pid"], before)
