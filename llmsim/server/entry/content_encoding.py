"""Request bodies by their Content-Encoding (RFC 9110, 8.4): gzip, deflate, br, zstd.

A body is decoded up to the size that a plain one may have, whatever it would become.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import Final

from llmsim.core.errors import BadRequest, Failure, FailureKind, invalid
from llmsim.transport.port import Port, too_large

BOM: Final = b"\xef\xbb\xbf"
"""The mark of UTF-8 that some editors and languages put before a text."""

QUICK = 50_000
"""Bytes that are decoded without keeping others waiting."""

MOST_CODINGS = 3
"""Codings over each other; every one can be a bomb of its own."""

Decoder = Callable[[bytes, int], bytes]
"""Gives what the bytes hold, or more than so many bytes of it. Raises ValueError."""


async def request_body(port: Port, limit: int) -> bytes:
    """A request's body as what it holds. Raises BadRequest and Gone as ``port.body`` does."""
    return await decoded(await port.body(limit), port.header("content-encoding"), limit)


async def decoded(body: bytes, encoding: str | None, limit: int) -> bytes:
    """A body without its codings and without a byte-order mark. Raises BadRequest for a coding
    that is not known (415), for bytes it does not fit, and for what holds over ``limit`` bytes."""
    for name in reversed(_names(encoding)):
        if name in ("", "identity"):
            continue
        decoder = DECODERS.get(name)
        if decoder is None:
            raise _unknown(name)
        try:
            if len(body) > QUICK:
                body = await asyncio.to_thread(decoder, body, limit)
            else:
                body = decoder(body, limit)
        except ValueError:
            raise invalid(f"The request body is not valid {name}.") from None
        if len(body) > limit:
            raise too_large(limit)
    return body.removeprefix(BOM)


def _names(encoding: str | None) -> list[str]:
    names = [name.strip().lower() for name in (encoding or "").split(",")]
    if len(names) > MOST_CODINGS:
        raise _unknown(encoding or "")
    return names


def _unknown(encoding: str) -> BadRequest:
    known = ", ".join(sorted({"gzip", "deflate", "br", "zstd"}))
    message = f"Unsupported Content-Encoding: {encoding[:100]!r}. Supported are: {known}."
    return BadRequest(Failure(FailureKind.INVALID, message, status=415))


def _gzip(body: bytes, limit: int) -> bytes:
    return _inflated(body, zlib.MAX_WBITS | 16, limit)


def _deflate(body: bytes, limit: int) -> bytes:
    """With zlib's frame, as it should be, or without, as some clients send it."""
    try:
        return _inflated(body, zlib.MAX_WBITS, limit)
    except ValueError:
        return _inflated(body, -zlib.MAX_WBITS, limit)


def _inflated(body: bytes, bits: int, limit: int) -> bytes:
    made, parts = 0, []
    while body:  # gzip may have several members
        decoder = zlib.decompressobj(bits)
        try:
            part = decoder.decompress(body, limit + 1 - made)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        parts.append(part)
        made += len(part)
        if made > limit:
            break
        if not decoder.eof:
            raise ValueError("cut short")
        body = decoder.unused_data
    if not parts:
        raise ValueError("empty")
    return b"".join(parts)


def _brotli(body: bytes, limit: int) -> bytes:
    import brotli  # noqa: PLC0415  few bodies need it

    decoder = brotli.Decompressor()
    try:
        made: bytes = decoder.process(body, output_buffer_limit=limit + 1)
        while not decoder.is_finished() and len(made) <= limit:
            more = decoder.process(b"", output_buffer_limit=limit + 1)
            if not more:
                raise ValueError("cut short")
            made += more
    except brotli.error as error:
        raise ValueError(str(error)) from None
    return made


def _zstd(body: bytes, limit: int) -> bytes:
    import zstandard  # noqa: PLC0415  few bodies need it

    decoder = zstandard.ZstdDecompressor(max_window_size=2**27)
    try:
        with decoder.stream_reader(body, read_across_frames=True) as reader:
            made: bytes = reader.read(limit + 1)
        if len(made) > limit:
            return made
        left = body  # the reader takes a part of a frame for the whole
        while left:
            frame = decoder.decompressobj()
            frame.decompress(left)
            if not frame.eof:
                raise ValueError("cut short")
            left = frame.unused_data
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
    return made


DECODERS: dict[str, Decoder] = {
    "br": _brotli,
    "deflate": _deflate,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
}
