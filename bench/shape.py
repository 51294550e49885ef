"""The shape of llmsim's answers, for the bare application to answer in the same."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median_low

OWN = frozenset({"content-length", "date", "server", "transfer-encoding", "connection"})
"""Headers that the HTTP server adds by itself."""


class ProbeError(Exception):
    """A server's answer is not what the benchmark has to have."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer looks like: its headers, the size of a plain body, the sizes of a stream's
    frames, in bytes."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: int = 0
    frames: list[int] = field(default_factory=list)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @staticmethod
    def load(path: Path) -> Shape:
        raw = json.loads(path.read_text())
        headers = [(name, value) for name, value in raw["headers"]]
        return Shape(headers, raw["body"], raw["frames"])


FILLER = [(f"x-{number}", "0" * 20) for number in range(9)]
PLAIN = Shape([("content-type", "application/json"), *FILLER], body=950)
STREAM = Shape([("content-type", "text/event-stream"), *FILLER], frames=[240] * 102 + [14])
"""Shapes near llmsim's, for a run without it."""


def probe_plain(port: int, request: bytes, times: int = 25) -> Shape:
    """The headers of one plain answer and the median size of several bodies."""
    answers = [_exchange(port, request) for _ in range(times)]
    return Shape(_headers(answers[0][0]), body=median_low(len(body) for _, body in answers))


def probe_stream(port: int, request: bytes, events: int) -> Shape:
    """The headers and frame sizes of one streamed answer, which must be of so many events."""
    head, body = _exchange(port, request)
    frames = [len(frame) for frame in re.findall(rb".+?(?:\n\n|\r\n\r\n)", body, re.DOTALL)]
    if len(frames) != events:
        raise ProbeError(f"a stream of {events} events was expected, {len(frames)} came: {body!r}")
    return Shape(_headers(head), frames=frames)


def _headers(head: bytes) -> list[tuple[str, str]]:
    pairs = (line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    return [(name.lower(), value) for name, value in pairs if name.lower() not in OWN]


def _exchange(port: int, request: bytes) -> tuple[bytes, bytes]:
    """Head and body of the answer. Raises ProbeError unless it is a 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ProbeError(f"200 was expected: {answer[:2000]!r}")
    if b"transfer-encoding: chunked" in head.lower():
        body = _dechunked(body)
    return head, body


def _dechunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        parts.append(rest[:length])
        body = rest[length + 2 :] if length else b""
    return b"".join(parts)
