"""What is wrong with a JSON body: msgspec's messages, taken apart."""

from contextlib import suppress
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from llmsim.providers.wire.decoding import MalformedBody, Problem, decode


class Small(Struct, tag="small", tag_field="type"):
    size: int


class Large(Struct, tag="large", tag_field="type"):
    size: int


class Item(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=3)]
    part: Small | Large | None = None


class Body(Struct):
    items: Annotated[list[Item], Meta(min_length=1, max_length=2)]
    count: Annotated[int, Meta(ge=1, le=9)] | None = None
    share: Annotated[float, Meta(ge=0, le=1)] | None = None
    mood: Literal["good", "bad"] | None = None
    mixed: str | list[str] | None = None
    weights: dict[str, float] | None = None
    flag: bool | None = None


DECODER = msgspec.json.Decoder(Body)
VALID = '{"items":[{"name":"a"}]'


def test_a_valid_body_is_decoded() -> None:
    body = decode(DECODER, (VALID + ',"count":3,"other":[]}').encode())
    assert body == Body([Item("a")], 3)


@pytest.mark.parametrize(
    ("body", "problem", "path", "expected", "got"),
    [
        ("{}", "missing", "items", "", ""),
        ('{"items":[{}]}', "missing", "items[0].name", "", ""),
        ("[]", "type", "", "object", "array"),
        ("null", "type", "", "object", "null"),
        ('{"items":7}', "type", "items", "array", "int"),
        ('{"items":[{"name":"a"},{"name":1}]}', "type", "items[1].name", "str", "int"),
        (VALID + ',"count":"3"}', "type", "count", "int | null", "str"),
        (VALID + ',"count":1.5}', "type", "count", "int | null", "float"),
        (VALID + ',"mixed":true}', "type", "mixed", "str | array | null", "bool"),
        (VALID + ',"mixed":["a",2]}', "type", "mixed[1]", "str", "int"),
        (VALID + ',"weights":{"a":"b"}}', "type", "weights[...]", "float", "str"),
        (VALID + ',"flag":{}}', "type", "flag", "bool | null", "object"),
        (VALID + ',"mood":"so so"}', "value", "mood", "", "'so so'"),
        ('{"items":[{"name":"a","part":{"type":"huge","size":1}}]}', "value",
         "items[0].part.type", "", "'huge'"),
        ('{"items":[{"name":"a","part":{"size":1}}]}', "missing", "items[0].part.type", "", ""),
        ('{"items":[{"name":"a","part":{"type":"small"}}]}', "missing", "items[0].part.size",
         "", ""),
        (VALID + ',"count":0}', "minimum", "count", "1", "int"),
        (VALID + ',"count":10}', "maximum", "count", "9", "int"),
        (VALID + ',"share":-0.5}', "minimum", "share", "0.0", "float"),
        (VALID + ',"share":2}', "maximum", "share", "1.0", "float"),
        ('{"items":[]}', "short", "items", "1", "array"),
        ('{"items":[{"name":""}]}', "short", "items[0].name", "1", "str"),
        ('{"items":[{"name":"abcd"}]}', "long", "items[0].name", "3", "str"),
        ('{"items":[{"name":"a"},{"name":"a"},{"name":"a"}]}', "long", "items", "2", "array"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(
    body: str, problem: Problem, path: str, expected: str, got: str
) -> None:
    with pytest.raises(MalformedBody) as caught:
        decode(DECODER, body.encode())
    mistake = caught.value
    assert (mistake.problem, mistake.path) == (problem, path)
    assert (mistake.expected, mistake.got) == (expected, got)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b"{'items':[]}",
        b'{"items":[{"name":"\xff"}]}',
        b'\xef\xbb\xbf{"items":[{"name":"a"}]}',
        b'{"items":[{"name":"\\ud800"}]}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody) as caught:
        decode(msgspec.json.Decoder(), body)
    assert (caught.value.problem, caught.value.path, caught.value.got) == ("json", "", "")
    assert caught.value.expected


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_malformed(body: bytes) -> None:
    with suppress(MalformedBody):
        assert isinstance(decode(DECODER, body), Body)


def test_an_error_tells_what_it_knows() -> None:
    mistake = MalformedBody("type", "a[0].b", "int", "str")
    assert str(mistake) == "a[0].b: type: expected 'int', got 'str'"
