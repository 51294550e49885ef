"""This process's own TCP connections as the kernel sees them, under the HTTP server."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

from llmsim.transport.connection import (
    ACKNOWLEDGED_AT,
    RESET_AT_ONCE,
    TCP_INFO_BYTES,
    peer_address,
    peer_of,
)

try:
    import fcntl
    import termios
except ImportError:  # Windows: the container is the way there
    fcntl = None  # type: ignore[assignment]

FIRST_WORDS = 24
"""Bytes by which Granian knows which HTTP is spoken: the preface of HTTP/2."""

AT_A_TIME = 32
"""Descriptors that are looked at, a few microseconds each, before others may compute."""
PAUSE = 1e-4  # seconds

_OPEN_FILES = "/proc/self/fd"
# struct tcp_info of linux/tcp.h
_ESTABLISHED = 1  # tcpi_state, the first byte
_LAST_RECEIVED = 52  # tcpi_last_data_recv, ms ago, u32
_RECEIVED = 128  # tcpi_bytes_received, u64


def _open_files() -> Iterator[int]:
    """The open descriptors of this process.

    Whoever looks at them all pauses in between, for they may be thousands: the event loop of the
    same process would have to wait for the interpreter until it asks for it, 5 ms later.
    """
    for count, name in enumerate(os.listdir(_OPEN_FILES)):
        if count % AT_A_TIME == AT_A_TIME - 1:
            time.sleep(PAUSE)
        yield int(name)


class Held(NamedTuple):
    """A connection for which something waits; how many bytes its client ever acknowledged, and
    how many more show that it reads."""

    descriptor: int
    inode: int
    acknowledged: int
    enough: int = 1


class Clients:
    """The clients' connections by address, as they are when first asked for."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[int, int]] | None = None

    def find(self, client: str) -> tuple[int, int]:
        """Descriptor and inode of the connection to ``client`` (``host:port``); -1 if there is
        none."""
        if self._found is None:
            self._found = dict(_clients())
        address = peer_address(client)
        return self._found.get(address, (-1, -1)) if address is not None else (-1, -1)


def _clients() -> Iterator[tuple[tuple[str, int], tuple[int, int]]]:
    for descriptor in _open_files():
        address = peer_of(descriptor)
        if address is None:
            continue
        try:
            inode = os.fstat(descriptor).st_ino
        except OSError:  # closed meanwhile
            continue
        yield address, (descriptor, inode)


def acknowledged(descriptor: int, inode: int) -> int | None:
    """How many bytes a connection's client has acknowledged, if it still has that inode."""
    try:
        if os.fstat(descriptor).st_ino != inode:
            return None
    except OSError:
        return None
    info = _tcp_info(descriptor)
    return None if info is None else struct.unpack_from("=Q", info, ACKNOWLEDGED_AT)[0]


def holding() -> Iterator[Held]:
    """Each TCP connection of this process with bytes its peer has not acknowledged."""
    for descriptor in _open_files():
        try:
            # A socket that listens, and a file of another kind, do not know this.
            held = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0\0\0\0")
            if held == b"\0\0\0\0":
                continue
            inode = os.fstat(descriptor).st_ino
        except OSError:  # or it was closed meanwhile
            continue
        info = _tcp_info(descriptor)
        if info is not None:
            yield Held(descriptor, inode, struct.unpack_from("=Q", info, ACKNOWLEDGED_AT)[0])


def silent(timeout: float, port: int, most: int = FIRST_WORDS) -> Iterator[tuple[int, int]]:
    """Descriptor and inode of each connection to ``port`` on which at most so many bytes came, none
    of them for ``timeout`` seconds."""
    for descriptor in _open_files():
        info = _tcp_info(descriptor)
        if info is None or info[0] != _ESTABLISHED:
            continue
        received: int = struct.unpack_from("=Q", info, _RECEIVED)[0]
        since: int = struct.unpack_from("=I", info, _LAST_RECEIVED)[0]
        if received <= most and since >= timeout * 1000:
            try:
                inode = os.fstat(descriptor).st_ino
                looked_at = socket.socket(fileno=descriptor)
            except OSError:
                continue
            try:
                ours = looked_at.getsockname()[1] == port
            except OSError:
                ours = False
            finally:
                looked_at.detach()
            if ours:
                yield descriptor, inode


def _tcp_info(descriptor: int) -> bytes | None:
    """What the kernel tells of a TCP connection; None where it is none, or tells too little."""
    try:
        # The kind is not asked for: what is no TCP socket does not tell.
        looked_at = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
    except OSError:
        return None
    try:
        info = looked_at.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    except OSError:
        return None
    finally:
        looked_at.detach()
    return info if len(info) >= _RECEIVED + 8 else None


def drop(descriptor: int, inode: int) -> bool:
    """Break a connection off, unless its descriptor stands for another by now; whether it was."""
    try:
        if os.fstat(descriptor).st_ino != inode:
            return False
        broken = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        broken.shutdown(socket.SHUT_RDWR)
    except OSError:
        return False
    finally:
        broken.detach()
    return True
