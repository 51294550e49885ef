"""Bodies by their Content-Encoding, and how far they are decoded."""

import asyncio
import gzip
import random
import zlib

import brotli
import pytest
import zstandard

from llmsim.core.errors import BadRequest, Failure
from llmsim.server.entry.content_encoding import QUICK, decoded

TEXT = b'{"model": "m"}' * 10
LIMIT = 1_000_000


def raw_deflate(body: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(body) + made.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def read(body: bytes, encoding: str | None, limit: int = LIMIT) -> bytes:
    return asyncio.run(decoded(body, encoding, limit))


def refused(body: bytes, encoding: str, limit: int = LIMIT) -> Failure:
    with pytest.raises(BadRequest) as caught:
        read(body, encoding, limit)
    return caught.value.failure


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("text", [TEXT, b"", bytes(range(256)) * 1000])
def test_a_coded_body_is_what_it_holds(name: str, text: bytes) -> None:
    assert read(ENCODERS[name](text), name) == text


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, None),
        (TEXT, "identity"),
        (TEXT, ""),
        (raw_deflate(TEXT), "deflate"),
        (gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]), "gzip"),
        (zstandard.compress(TEXT[:50]) + zstandard.compress(TEXT[50:]), "zstd"),
        (brotli.compress(gzip.compress(TEXT)), "gzip, br"),
        (gzip.compress(TEXT), "GZIP"),
        (b"\xef\xbb\xbf" + TEXT, None),
        (gzip.compress(b"\xef\xbb\xbf" + TEXT), "gzip"),
    ],
    ids=range(10),
)
def test_other_forms_are_read_too(body: bytes, encoding: str | None) -> None:
    assert read(body, encoding) == TEXT


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("body", [TEXT, b"x", b"\x00" * 100])
def test_bytes_that_it_does_not_fit_are_refused(name: str, body: bytes) -> None:
    failure = refused(body, name)
    assert (failure.status, failure.kind.value) == (None, "invalid")


@pytest.mark.parametrize("name", ENCODERS)
def test_a_body_cut_short_is_refused(name: str) -> None:
    whole = ENCODERS[name](random.Random(7).randbytes(500_000))
    assert refused(whole[: len(whole) // 2], name).kind.value == "invalid"


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_is_decoded_no_further_than_the_limit(name: str) -> None:
    bomb = ENCODERS[name](b"a" * 50_000_000)
    assert len(bomb) < QUICK
    assert refused(bomb, name).kind.value == "too_large"


def test_codings_over_each_other_are_bounded() -> None:
    assert refused(TEXT, "gzip, gzip, gzip, gzip").status == 415


@pytest.mark.parametrize("name", ["compress", "snappy", "gzip; q=1"])
def test_an_unknown_coding_is_415(name: str) -> None:
    assert refused(TEXT, name).status == 415
