"""Anthropic's model objects and the pages of its lists."""

from typing import Any

import orjson
import pytest
from anthropic.types import ModelInfo

from llmsim.core.catalog.models import MODELS, Model
from llmsim.core.errors import BadRequest
from llmsim.providers.anthropic import lists as anthropic_lists
from llmsim.providers.anthropic import model_list
from llmsim.providers.anthropic.lists import Window, cut, window

CLAUDES = [model for model in MODELS.values() if model.provider == "anthropic"]
IDS = ["a", "b", "c", "d", "e"]


def page(strict: bool = False, **query: list[str]) -> dict[str, Any]:
    listing: dict[str, Any] = orjson.loads(model_list.page(CLAUDES, query, strict))
    return listing


@pytest.mark.parametrize("model", CLAUDES, ids=lambda model: model.id)
def test_the_sdk_reads_every_model(model: Model) -> None:
    listing = ModelInfo.model_validate_json(model_list.model(model))
    assert (listing.id, listing.lifecycle) == (model.id, model.lifecycle)
    assert listing.created_at.timestamp() == model.created
    assert (listing.max_input_tokens, listing.max_tokens) == (
        model.context_window,
        model.max_output_tokens,
    )
    assert listing.line is not None
    assert listing.capabilities is not None
    assert listing.capabilities.thinking.supported is model.reasoning


def test_a_model_of_no_line() -> None:
    listing = orjson.loads(model_list.model(MODELS["gpt-4o"]))
    assert listing["line"] is None


@pytest.mark.parametrize(
    ("query", "stages"),
    [
        ({}, {"active", "deprecated"}),
        ({"lifecycle[]": ["retired"]}, {"retired"}),
        ({"lifecycle": ["active"]}, {"active"}),
        ({"lifecycle[]": ["active", "retired"]}, {"active", "retired"}),
    ],
)
def test_a_listing_shows_what_is_asked_for(query: dict[str, list[str]], stages: set[str]) -> None:
    listing = page(limit=["1000"], **query)
    assert {one["lifecycle"] for one in listing["data"]} == stages
    assert len(listing["data"]) == sum(model.lifecycle in stages for model in CLAUDES)


def test_the_newest_come_first() -> None:
    created = [one["created_at"] for one in page()["data"]]
    assert created == sorted(created, reverse=True)


def test_pages_make_the_whole() -> None:
    whole = [one["id"] for one in page(limit=["1000"])["data"]]
    found: list[str] = []
    listing = page(limit=["7"])
    while True:
        ids = [one["id"] for one in listing["data"]]
        assert (listing["first_id"], listing["last_id"]) == (ids[0], ids[-1])
        found += ids
        if not listing["has_more"]:
            break
        listing = page(limit=["7"], after_id=[ids[-1]])
    assert found == whole


def test_an_empty_page() -> None:
    listing = orjson.loads(anthropic_lists.page([], False))
    assert listing == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@pytest.mark.parametrize(
    ("wanted", "part", "more"),
    [
        (Window(2), ["a", "b"], True),
        (Window(5), IDS, False),
        (Window(2, after="b"), ["c", "d"], True),
        (Window(2, after="c"), ["d", "e"], False),
        (Window(2, after="e"), [], False),
        (Window(2, before="d"), ["b", "c"], True),
        (Window(2, before="c"), ["a", "b"], False),
        (Window(2, before="a"), [], False),
    ],
)
def test_parts_of_a_list(wanted: Window, part: list[str], more: bool) -> None:
    place, beyond = cut(IDS, wanted)
    assert (IDS[place], beyond) == (part, more)


def test_the_usual_window() -> None:
    assert window({}) == Window(20)
    assert window({"limit": ["3"], "after_id": ["x"]}) == Window(3, "x")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": ["0"]},
        {"limit": ["1001"]},
        {"limit": ["many"]},
        {"limit": [""]},
        {"after_id": ["a"], "before_id": ["b"]},
        {"after_id": ["nobody"]},
        {"before_id": ["nobody"]},
        {"lifecycle[]": ["young"]},
    ],
)
def test_a_query_that_is_wrong(query: dict[str, list[str]]) -> None:
    with pytest.raises(BadRequest) as caught:
        page(strict=True, **query)
    assert caught.value.failure.param in {name.removesuffix("[]") for name in query}


@pytest.mark.parametrize("cursor", ["after_id", "before_id"])
def test_a_lenient_list_has_nothing_beside_an_id_it_does_not_know(cursor: str) -> None:
    listing = page(**{cursor: ["nobody"]})
    assert (listing["data"], listing["has_more"]) == ([], False)


def test_of_two_ids_a_lenient_list_goes_by_the_first() -> None:
    ids = [one["id"] for one in page()["data"]]
    listing = page(after_id=[ids[0]], before_id=[ids[0]], limit=["2"])
    assert [one["id"] for one in listing["data"]] == ids[1:3]
