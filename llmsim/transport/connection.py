"""A client's connection as the kernel sees it, under the HTTP server that owns it.

No interface lets an application break a response off. But the socket is this process's own, so
it is found among its descriptors by the address at its other end and acted on under the server,
which then finds its connection gone as if the network had done it.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

FOLDERS = ("/proc/self/fd", "/dev/fd")
# On, and 0 seconds: closing sends a reset and forgets what was not sent.
RESET_AT_ONCE = struct.pack("ii", 1, 0)
_TIOCOUTQ = 0x5411  # linux/sockios.h: SIOCOUTQ, bytes that are not acknowledged
ACKNOWLEDGED_AT = 120  # of tcpi_bytes_acked in linux/tcp.h, struct tcp_info
TCP_INFO_BYTES = 256


class Connection:
    """Another descriptor of the connection to ``client`` (``host:port``); nothing happens where
    there is none. Finding it looks at every open descriptor, about a microsecond each.

    ``plain`` says that what is written is what was sent: HTTP/2 makes heads smaller, TLS adds to
    everything."""

    def __init__(self, client: str, plain: bool = True) -> None:
        self._socket = _connected(client)
        self._plain = plain

    def written(self) -> int | None:
        """How many bytes the server has given to the kernel so far; None if it does not tell."""
        if self._socket is None or not self._plain or sys.platform != "linux":
            return None
        acked = self.acknowledged()
        if acked is not None:
            with suppress(OSError):
                waiting = fcntl.ioctl(self._socket, _TIOCOUTQ, bytes(4))
                left: int = struct.unpack("i", waiting)[0]
                return acked + left
        return None

    def acknowledged(self) -> int | None:
        """How many bytes the client has acknowledged so far; None where that is not known."""
        if self._socket is None or sys.platform != "linux":
            return None
        with suppress(OSError):
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
            if len(info) >= ACKNOWLEDGED_AT + 8:
                acked: int = struct.unpack_from("Q", info, ACKNOWLEDGED_AT)[0]
                return acked
        return None

    def hang_up(self, reset: bool) -> None:
        """Break the connection off: close it after all that was written, or reset it."""
        found, self._socket = self._socket, None
        if found is None:
            return
        with found, suppress(OSError):  # it may have gone meanwhile
            if reset:
                # The server reads an end, closes, and thereby sends the reset.
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
                found.shutdown(socket.SHUT_RD)
            else:
                found.shutdown(socket.SHUT_WR)


def _connected(client: str) -> socket.socket | None:
    address = peer_address(client)
    if address is None:
        return None
    for descriptor in _descriptors():
        if peer_of(descriptor) == address:
            with suppress(OSError):
                found = socket.socket(fileno=os.dup(descriptor))
                if peer_of(found.fileno()) == address:
                    return found
                found.close()
    return None


def peer_address(client: str) -> tuple[str, int] | None:
    """Host and port of ``host:port``."""
    host, _, port = client.rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() else None


def _descriptors() -> list[int]:
    for folder in FOLDERS:
        with suppress(OSError):
            return [int(name) for name in os.listdir(folder)]
    return []


def peer_of(descriptor: int) -> tuple[str, int] | None:
    """The address at the other end of a descriptor, if it is a connection over TCP."""
    try:
        # Its kind is not asked for: the address tells. An IPv6 one has room for both.
        looked = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, descriptor)
    except OSError:
        return None
    try:
        address = looked.getpeername()
    except OSError:
        return None
    finally:
        looked.detach()
    return address[:2] if isinstance(address, tuple) else None
