"""Requests about conversations."""

from typing import Any

import orjson
import pytest

from llmsim.core.errors import BadRequest
from llmsim.providers.openai.conversations import added_items, create_params

ITEMS = [{"role": "user", "content": text} for text in "abc"]


@pytest.mark.parametrize(
    ("body", "metadata", "items"),
    [
        (b"", None, []),
        (b"{}", None, []),
        (b'{"metadata":{"a":"b"},"items":null}', {"a": "b"}, []),
        (orjson.dumps({"items": ITEMS, "unknown": 1}), None, ITEMS),
    ],
)
def test_requests_to_create(
    body: bytes, metadata: dict[str, str] | None, items: list[dict[str, Any]]
) -> None:
    assert create_params(body) == (metadata, items)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b'{"metadata":5}', "metadata"),
        (b'{"items":[{"type":"foo"}]}', "input[0].type"),
    ],
)
def test_requests_that_are_refused(body: bytes, param: str | None) -> None:
    for read in (create_params, added_items):
        if b"items" in body or read is create_params or param is None:
            with pytest.raises(BadRequest) as caught:
                read(body)
            assert caught.value.failure.param == param


def test_added_items_are_needed() -> None:
    with pytest.raises(BadRequest) as caught:
        added_items(b"{}")
    assert caught.value.failure.param == "items"


@pytest.mark.parametrize("number", [b"1e999", b"9" * 400])
@pytest.mark.parametrize("read", [create_params, added_items])
def test_a_number_no_double_holds_is_a_bad_request(read: Any, number: bytes) -> None:
    with pytest.raises(BadRequest):
        read(b'{"items":[],"zz":%b}' % number)
