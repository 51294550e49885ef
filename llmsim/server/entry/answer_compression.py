"""Answers compressed as their client takes them (RFC 9110, 12.5.3): ``server.compress``.

A stream is flushed after everything that is sent, so nothing arrives later than it would plain.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from llmsim.core import Headers
from llmsim.core.plan import Chunk, LargeChunk
from llmsim.transport.port import Stream
from llmsim.transport.rsgi import RSGIPort

LEAST: Final = 256
"""Bytes of a whole answer that are worth it."""
TEXT: Final = ("text/", "application/json", "application/x-ndjson", "application/jsonl")
"""What the content types begin with of what gets smaller."""
VARY: Final = ("vary", "accept-encoding")
_ACCEPTED = re.compile(r"\s*([a-z*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", re.IGNORECASE)


class Compressor(Protocol):
    """Compresses a body part by part."""

    def part(self, data: bytes) -> bytes:
        """The bytes to send for these, from which they can be read."""
        ...

    def end(self) -> bytes:
        """The bytes that end the body."""
        ...


class Zlib:
    """gzip, or deflate in zlib's frame, by the window's bits."""

    def __init__(self, bits: int) -> None:
        self._made = zlib.compressobj(1, zlib.DEFLATED, bits)

    def part(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._made.flush()


class Brotli:
    def __init__(self) -> None:
        import brotli  # noqa: PLC0415  few servers need it

        self._made = brotli.Compressor(quality=1)

    def part(self, data: bytes) -> bytes:
        flushed: bytes = self._made.process(data) + self._made.flush()
        return flushed

    def end(self) -> bytes:
        last: bytes = self._made.finish()
        return last


class Zstandard:
    def __init__(self) -> None:
        import zstandard  # noqa: PLC0415  few servers need it

        self._made = zstandard.ZstdCompressor(level=1).compressobj()
        self._block = zstandard.COMPRESSOBJ_FLUSH_BLOCK

    def part(self, data: bytes) -> bytes:
        return self._made.compress(data) + self._made.flush(self._block)

    def end(self) -> bytes:
        return self._made.flush()


CODINGS: Final[dict[str, Callable[[], Compressor]]] = {
    "zstd": Zstandard,
    "br": Brotli,
    "gzip": lambda: Zlib(zlib.MAX_WBITS | 16),
    "deflate": lambda: Zlib(zlib.MAX_WBITS),
}
"""What makes bodies smaller, by name; the first are taken where a client has no preference."""


@lru_cache(maxsize=256)
def coding(accepted: str | None) -> str | None:
    """The coding for a client that sends this as Accept-Encoding; None for none."""
    wanted: dict[str, float] = {}
    for one in (accepted or "").split(","):
        found = _ACCEPTED.fullmatch(one)
        if found is not None:
            wanted[found[1].lower()] = float(found[2] or 1)
    others = wanted.get("*", 0.0)
    best = max(CODINGS, key=lambda name: wanted.get(name, others))
    worth = wanted.get(best, others)
    return best if worth and worth >= wanted.get("identity", 0.0) else None


class CompressedStream:
    """A response body that is compressed while it is sent."""

    def __init__(self, stream: Stream, compressor: Compressor) -> None:
        self._stream = stream
        self._compressor: Compressor | None = compressor

    def send(self, data: Chunk) -> bool:
        if self._compressor is None:
            return False
        if isinstance(data, LargeChunk):
            data = bytes(data)
        return self._stream.send(self._compressor.part(data) if data else b"")

    def close(self) -> None:
        if self._compressor is not None:
            self._stream.send(self._compressor.end())
            self._compressor = None
        self._stream.close()


class CompressedPort(RSGIPort):
    """A request whose answer is compressed, if its client takes that."""

    __slots__ = ()

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        if _compressible(headers):
            name = self._coding(status)
            if name is not None and len(body) >= LEAST:
                made = CODINGS[name]()
                body = made.part(body) + made.end()
                headers = _compressed(headers, name)
            else:
                headers = [*headers, VARY]
        super().respond(status, headers, body)

    def open(self, status: int, headers: Headers) -> Stream:
        if not _compressible(headers):
            return super().open(status, headers)
        name = self._coding(status)
        if name is None:
            return super().open(status, [*headers, VARY])
        return CompressedStream(super().open(status, _compressed(headers, name)), CODINGS[name]())

    def _coding(self, status: int) -> str | None:
        if self.method == "HEAD" or status in (204, 304):
            return None
        return coding(self.header("accept-encoding"))


def _compressible(headers: Headers) -> bool:
    """Whether an answer with that head is text, and plain so far."""
    kinds = [value for name, value in headers if name == "content-type"]
    plain = all(name != "content-encoding" for name, _ in headers)
    return plain and any(kind.startswith(TEXT) for kind in kinds)


def _compressed(headers: Headers, name: str) -> Headers:
    kept = [pair for pair in headers if pair[0] != "content-length"]
    return [*kept, ("content-encoding", name), VARY]
