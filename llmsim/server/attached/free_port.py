"""A port that nobody uses, for ``server.port: 0``."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def free_port(host: str) -> Iterator[int]:
    """A free port of that address, which no other program gets while the context is open.

    On Linux a socket that does not listen keeps it: workers may bind the port beside it, and the
    kernel gives it to nobody who asks for a free one. Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as keeper:
        if sys.platform == "linux":
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind((host, 0))
        port: int = keeper.getsockname()[1]
        if sys.platform != "linux":
            keeper.close()
        yield port
