"""A client's connection as the kernel sees it, under the HTTP server that owns it.

No interface lets an application break a response off. But the socket is this process's own, so
it is found among its descriptors by the address at its other end and acted on under the server,
which then finds its connection gone as if the network had done it.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from contextlib import suppress

FOLDERS = ("/proc/self/fd", "/dev/fd")
# On, and 0 seconds: closing sends a reset and forgets what was not sent.
_AT_ONCE = struct.pack("ii", 1, 0)


def hang_up(client: str, reset: bool) -> bool:
    """Break off the connection to ``client`` (``host:port``): close it after all that was sent,
    or reset it. False if there is none."""
    found = _connected(client)
    if found is None:
        return False
    with found, suppress(OSError):  # it may have gone meanwhile
        if reset:
            # The server reads an end, closes, and thereby sends the reset.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            found.shutdown(socket.SHUT_RD)
        else:
            found.shutdown(socket.SHUT_WR)
    return True


def _connected(client: str) -> socket.socket | None:
    """Another descriptor of the connection to ``client``. Looks at every open one, about a
    microsecond each."""
    host, _, port = client.rpartition(":")
    address = (host.strip("[]"), int(port)) if port.isdigit() else None
    for descriptor in _descriptors():
        if _peer(descriptor) == address is not None:
            with suppress(OSError):
                found = socket.socket(fileno=os.dup(descriptor))
                if _peer(found.fileno()) == address:
                    return found
                found.close()
    return None


def _descriptors() -> list[int]:
    for folder in FOLDERS:
        with suppress(OSError):
            return [int(name) for name in os.listdir(folder)]
    return []


def _peer(descriptor: int) -> tuple[str, int] | None:
    """The address at the other end of a descriptor, if it is a connection over TCP."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return None
        looked = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        address = looked.getpeername()
    except OSError:
        return None
    finally:
        looked.detach()
    return address[:2] if isinstance(address, tuple) else None
