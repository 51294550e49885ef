from typing import Any

import orjson
import pytest

from llmsim.core.errors import BadRequest, FailureKind
from llmsim.providers.openai.lists import Paging, envelope, page, paging

ITEMS = [{"id": name} for name in "abcd"]


def ids(listing: bytes) -> list[str]:
    return [one["id"] for one in orjson.loads(listing)["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, Paging(20, None, True)),
        ({"limit": ["5"], "after": ["x"], "order": ["asc"]}, Paging(5, "x", False)),
        ({"limit": ["100"], "order": ["desc"]}, Paging(100, None, True)),
    ],
)
def test_what_a_query_asks_for(query: dict[str, list[str]], expected: Paging) -> None:
    assert paging(query) == expected


def test_an_endpoint_has_an_order_of_its_own_and_nothing_may_be_wanted() -> None:
    assert paging({"limit": ["0"]}, order="asc") == Paging(0, None, False)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": ["101"]}, "limit"),
        ({"limit": ["-1"]}, "limit"),
        ({"limit": ["²"]}, "limit"),
        ({"order": ["up"]}, "order"),
    ],
)
def test_what_is_refused_is_named(query: dict[str, list[str]], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        paging(query)
    assert caught.value.failure.param == param


@pytest.mark.parametrize(
    ("wanted", "expected", "more"),
    [
        (Paging(2, None, False), ["a", "b"], True),
        (Paging(2, "b", False), ["c", "d"], False),
        (Paging(2, None, True), ["d", "c"], True),
        (Paging(9, "c", True), ["b", "a"], False),
        (Paging(9, "a", True), [], False),
        (Paging(2, None, False, "d"), ["b", "c"], True),
        (Paging(9, None, False, "c"), ["a", "b"], False),
        (Paging(2, None, True, "a"), ["c", "b"], True),
        (Paging(9, None, True, "d"), [], False),
        (Paging(9, "a", False, "d"), ["b", "c"], False),
        (Paging(1, "d", True, "a"), ["c"], True),
        (Paging(9, "c", False, "b"), [], False),
        (Paging(0, None, False, "d"), [], True),
    ],
)
def test_a_page(wanted: Paging, expected: list[str], more: bool) -> None:
    listing = page(ITEMS, wanted)
    assert ids(listing) == expected
    assert orjson.loads(listing)["has_more"] is more


@pytest.mark.parametrize(
    "wanted", [Paging(after="z"), Paging(before="z"), Paging(after="a", before="z")]
)
def test_a_cursor_that_is_not_there(wanted: Paging) -> None:
    with pytest.raises(BadRequest, match="'z'") as caught:
        page(ITEMS, wanted)
    assert caught.value.failure.kind is FailureKind.NOT_FOUND


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (ITEMS[:1], {"first_id": "a", "last_id": "a", "has_more": False}),
        (ITEMS, {"first_id": "a", "last_id": "b", "has_more": True}),
        ([], {"first_id": None, "last_id": None, "has_more": False}),
    ],
)
def test_an_envelope_names_its_ends(items: list[Any], expected: dict[str, Any]) -> None:
    listing = orjson.loads(envelope(items, 2))
    assert listing == {"object": "list", "data": items[:2], **expected}
