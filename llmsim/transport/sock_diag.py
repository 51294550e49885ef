"""What the kernel knows of a TCP connection, asked for by its addresses.

The HTTP server owns the descriptors and does not say which is whose. ``NETLINK_SOCK_DIAG`` needs
none: a message with the four-tuple of a connection is answered at once, in 5 µs, however many
connections there are. Both system calls keep the interpreter lock, which Python's own would give
to another thread: a busy worker waits longer for it than for the answer. Source: sock_diag(7);
linux/inet_diag.h; ``struct tcp_info`` in linux/tcp.h.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
import sys
from typing import NamedTuple

from llmsim.transport.connection import ACKNOWLEDGED_AT

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST = 1  # NLM_F_REQUEST
_INFO = 2  # INET_DIAG_INFO, an attribute; asked for as 1 << (INET_DIAG_INFO - 1)
_ANY = 0xFFFFFFFF  # a cookie that fits every socket
_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
# struct inet_diag_req_v2 without its addresses: family, protocol, extensions, states
_WHAT = struct.Struct("=BBBxI")
_TAIL = struct.pack("=III", 0, _ANY, _ANY)  # any interface, cookie
_MESSAGE = _HEADER.size + 72  # struct inet_diag_msg
_WAITING = struct.Struct("=I")  # its idiag_wqueue: bytes written that are not acknowledged
_WAITING_AT = _MESSAGE - 12
_ATTRIBUTE = struct.Struct("=HH")
_SINCE = struct.Struct("=I4xI")  # tcpi_last_data_sent and tcpi_last_data_recv, ms
_SINCE_AT = 44
_ACKED = struct.Struct("=Q")  # tcpi_bytes_acked
_STATE_AT = _HEADER.size + 1
_LISTENING = 10  # TCP_LISTEN
_PORT = struct.Struct("!H")
_SIZE = _HEADER.size + 56
_BUFFER = 4096
_AT_ONCE = getattr(socket, "MSG_DONTWAIT", 0)
_WAYS = 1024


class TCPInfo(NamedTuple):
    """A connection: ``sent`` and ``received`` are the ms, in whole ticks of the kernel's clock,
    since data last left and last came; ``written`` is how many bytes were given to the kernel."""

    sent: int
    received: int
    written: int


class SockDiag:
    """Asks about TCP connections of this network namespace. Not for several threads.

    Raises OSError where the kernel does not tell.
    """

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise OSError("NETLINK_SOCK_DIAG is Linux's")
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, _SOCK_DIAG)
        self._socket.connect((0, 0))
        libc = ctypes.PyDLL(None, use_errno=True)
        self._send, self._receive = libc.send, libc.recv
        self._send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
        self._receive.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        self._descriptor = self._socket.fileno()
        self._buffer = bytearray(_BUFFER)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._buffer))
        self._sequence = 0
        self._ways: dict[tuple[str, str], _Way] = {}

    def close(self) -> None:
        self._socket.close()

    def ask(self, client: str, server: str) -> TCPInfo | None:
        """The connection of ``client`` to ``server`` (``host:port``, as the HTTP server says);
        None if there is none, or nothing is known of it. A ``server`` of all addresses stands
        for the one by which the client is reached."""
        self._sequence += 1
        try:
            request = self._request(client, server)
        except (OSError, ValueError):
            return None
        if self._send(self._descriptor, request, len(request), _AT_ONCE) != len(request):
            return None
        while (size := self._receive(self._descriptor, self._address, _BUFFER, _AT_ONCE)) > 0:
            if _HEADER.unpack_from(self._buffer)[3] == self._sequence:
                return _read(self._buffer, size)
        return None

    def _request(self, client: str, server: str) -> bytes:
        host, _, port = client.rpartition(":")
        way = self._ways.get((host, server)) or self._found(host, server)
        header = _HEADER.pack(_SIZE, _BY_FAMILY, _REQUEST, self._sequence, 0)
        return b"".join((header, way.what, _PORT.pack(int(port)), way.addresses))

    def _found(self, host: str, server: str) -> _Way:
        own, _, port = server.rpartition(":")
        one, other = _plain(host), _plain(own)
        family = socket.AF_INET6 if ":" in one else socket.AF_INET
        if other in ("0.0.0.0", "::"):
            other = _reached_from(family, one)
        ends = (socket.inet_pton(family, each).ljust(16, b"\0") for each in (other, one))
        way = _Way(
            _WHAT.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), _ANY) + _PORT.pack(int(port)),
            b"".join((*ends, _TAIL)),
        )
        if len(self._ways) >= _WAYS:
            self._ways.clear()
        self._ways[host, server] = way
        return way


class _Way(NamedTuple):
    """What all questions about connections of one host have in common: what stands before the
    port of the client, and what after it."""

    what: bytes
    addresses: bytes


def _reached_from(family: int, host: str) -> str:
    """This machine's address on the way to ``host``: connecting a UDP socket sends nothing."""
    with socket.socket(family, socket.SOCK_DGRAM) as way:
        way.connect((host, 9))
        own: str = way.getsockname()[0]
    return own


def _plain(host: str) -> str:
    """A host without brackets; IPv4 over IPv6 as IPv4, which is how the kernel keeps it."""
    host = host.strip("[]")
    mapped = ipaddress.IPv6Address(host).ipv4_mapped if host.startswith("::ffff:") else None
    return host if mapped is None else str(mapped)


def _read(buffer: bytearray, size: int) -> TCPInfo | None:
    if size < _MESSAGE:
        return None
    length, kind, *_ = _HEADER.unpack_from(buffer)
    if kind != _BY_FAMILY or length > size or buffer[_STATE_AT] == _LISTENING:
        return None
    at = _MESSAGE
    while at + _ATTRIBUTE.size <= length:
        extent, name = _ATTRIBUTE.unpack_from(buffer, at)
        if name == _INFO and extent >= _ATTRIBUTE.size + ACKNOWLEDGED_AT + _ACKED.size:
            info = at + _ATTRIBUTE.size
            sent, received = _SINCE.unpack_from(buffer, info + _SINCE_AT)
            (acked,) = _ACKED.unpack_from(buffer, info + ACKNOWLEDGED_AT)
            (waiting,) = _WAITING.unpack_from(buffer, _WAITING_AT)
            return TCPInfo(sent, received, acked + waiting)
        at += max(_ATTRIBUTE.size, (extent + 3) & ~3)
    return None
