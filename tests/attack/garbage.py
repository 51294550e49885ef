"""Bytes that are no HTTP, on sockets of their own: the server has to go on serving others."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Final

from tests.attack.target import Target

PATIENCE: Final = 0.2  # seconds
GOOD: Final = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 60\r\n\r\n"
    b'{"model":"gpt-4o","messages":[{"role":"user","content":"a"}]}'
)
WEIRD: Final = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 9,
    b"POST /v1/messages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET http://[ HTTP/1.1\r\nHost: [\r\n\r\n",
    b"\r\n" * 1000,
)


def attack(target: Target) -> None:
    """Send garbage until the time is up, and see that the server answers in between."""
    rng = random.Random(target.seed)
    while target.going_on():
        for _ in range(20):
            _throw(target, _garbage(rng), wrapped=rng.random() < 0.5)
        try:
            target.stats()
        except OSError as error:
            target.report.fault("no statistics after garbage", error)


def _garbage(rng: random.Random) -> bytes:
    if rng.random() < 0.3:
        return rng.choice(WEIRD)
    if rng.random() < 0.3:
        return rng.randbytes(rng.randint(1, 400))
    spoiled = bytearray(GOOD)
    for _ in range(rng.randint(1, 5)):
        spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
    return bytes(spoiled[: rng.randint(1, len(spoiled))])


def _throw(target: Target, garbage: bytes, wrapped: bool) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", target.port), 5) as client:
        target.report.sent["raw bytes"] += 1
        if target.tls is None or not wrapped:
            _say(client, garbage)
            return
        with target.tls.http1.wrap_socket(client) as secure:
            target.report.sent["raw bytes within TLS"] += 1
            _say(secure, garbage)


def _say(client: socket.socket, garbage: bytes) -> None:
    client.settimeout(PATIENCE)
    client.sendall(garbage)
    client.recv(1000)
