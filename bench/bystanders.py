"""Clients that hold connections and read nothing, while others are measured."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

BUFFER: Final = 4096
"""Bytes of the receive buffer of a client that does not read."""


@contextmanager
def standing_by(port: int, idle: int, stalled: int, request: bytes) -> Iterator[None]:
    """So many ``idle`` connections on which nothing is said, and so many on which ``request`` was
    sent and no answer is read, are open meanwhile."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        for _ in range(idle):
            stack.enter_context(_connected(port))
        for _ in range(stalled):
            stack.enter_context(_connected(port)).sendall(request)
        yield


def _connected(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    client.connect(("127.0.0.1", port))
    return client
