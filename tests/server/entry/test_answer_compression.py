"""Answers compressed as their clients take them."""

import zlib

import brotli
import pytest
import zstandard

from llmsim.core.plan import LargeChunk
from llmsim.server.entry.answer_compression import CODINGS, CompressedStream, coding

FRAMES = [b"data: {}\n\n", b"data: " + b"x" * 5000 + b"\n\n", b"data: [DONE]\n\n"]


class Wire:
    """A stream that remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def send(self, data: bytes) -> bool:
        self.sent.append(bytes(data))
        return not self.closed

    def close(self) -> None:
        self.closed = True


class Zstd:
    def __init__(self) -> None:
        self._reader = zstandard.ZstdDecompressor().decompressobj()

    def process(self, data: bytes) -> bytes:
        return self._reader.decompress(data)


class Inflate:
    def __init__(self, bits: int) -> None:
        self._reader = zlib.decompressobj(bits)

    def process(self, data: bytes) -> bytes:
        return self._reader.decompress(data)


READERS = {
    "gzip": lambda: Inflate(zlib.MAX_WBITS | 16),
    "deflate": lambda: Inflate(zlib.MAX_WBITS),
    "br": brotli.Decompressor,
    "zstd": Zstd,
}


@pytest.mark.parametrize("name", CODINGS)
def test_each_part_of_a_stream_can_be_read_when_it_comes(name: str) -> None:
    wire, reader = Wire(), READERS[name]()
    stream = CompressedStream(wire, CODINGS[name]())
    for frame in FRAMES:
        assert stream.send(frame)
        assert reader.process(wire.sent[-1]) == frame
    stream.send(LargeChunk(FRAMES))
    assert reader.process(wire.sent[-1]) == b"".join(FRAMES)
    stream.close()
    assert wire.closed
    assert reader.process(wire.sent[-1]) == b""
    assert not stream.send(b"more")


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0.5, gzip;q=0.2, *;q=0", "br"),
        ("BR", "br"),
        ("*", "zstd"),
        ("gzip;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("lzma, x-unknown", None),
        ("gzip;q=two", None),
    ],
)
def test_what_a_client_takes(accepted: str | None, taken: str | None) -> None:
    assert coding(accepted) == taken
