"""Whether a server can listen here, and how many connections fit the files a process may open.

A worker whose descriptors run out cannot accept, and Granian then tries again and again: it burns
a processor and no longer hears that it is to end. So no more connections are let in than there are
descriptors for.
"""

from __future__ import annotations

import errno
import resource
import socket
from typing import Final, NamedTuple

OWN: Final = 43
"""Descriptors a worker needs beside its clients' connections: some 27 from the start, and a few
for the files that it opens in between."""

OF_WORKERS: Final = 5
"""And for each worker: copies of the launcher's, which it has inherited."""

LEAST: Final = 8
"""Connections without which no server is worth starting."""

OF_WEBSOCKETS: Final = 8
"""One connection in so many may be a WebSocket where descriptors are short. Granian no longer
counts a connection once it has become one, so that WebSockets take none of the other's places."""


class Capacity(NamedTuple):
    """How many connections a worker accepts: those that Granian counts, and WebSockets."""

    connections: int
    websockets: int


def capacity(max_connections: int, descriptors: int, workers: int) -> Capacity:
    """The capacity of one of so many workers, each of which may have so many open files.

    Raises OSError where hardly any connection fits.
    """
    if descriptors == resource.RLIM_INFINITY:
        return Capacity(max_connections, max_connections)
    own = OWN + OF_WORKERS * workers
    fit = descriptors - own
    if fit < LEAST:
        message = f"at most {descriptors} open files are allowed, {own + LEAST} are needed"
        raise OSError(errno.EMFILE, message)
    websockets = min(max_connections, max(fit // OF_WEBSOCKETS, fit - max_connections))
    return Capacity(min(max_connections, fit - websockets), websockets)


def open_file_limit() -> int:
    """How many open files this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def probe(host: str, port: int) -> None:
    """Fail early and clearly: workers share the port, so each would fail on its own. Raises
    OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
