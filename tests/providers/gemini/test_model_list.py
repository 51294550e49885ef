"""Gemini's model objects and their pages."""

from typing import Any

import orjson
import pytest
from google.genai.types import Model as SDKModel

from llmsim.core.catalog import models as catalog_models
from llmsim.core.errors import BadRequest
from llmsim.providers.gemini import model_list

EVERY = [one for one in catalog_models.MODELS.values() if one.provider == "google"]
LIVE = [f"models/{one.id}" for one in EVERY if one.lifecycle != "retired"]


def page(**query: str) -> dict[str, Any]:
    parameters = {name: [value] for name, value in query.items()}
    listed: dict[str, Any] = orjson.loads(model_list.page(EVERY, parameters))
    return listed


def names(listed: dict[str, Any]) -> list[str]:
    return [one["name"] for one in listed["models"]]


@pytest.mark.parametrize("described", EVERY, ids=lambda one: one.id)
def test_every_model_is_one_to_the_sdk(described: catalog_models.Model) -> None:
    listed = orjson.loads(model_list.model(described))
    read = SDKModel.model_validate({key: listed[key] for key in ("name", "version", "displayName")})
    assert read.name == f"models/{described.id}"
    assert listed["inputTokenLimit"] == described.context_window
    embeds = "embedContent" in listed["supportedGenerationMethods"]
    assert embeds == (described.kind == "embedding")
    assert embeds or listed["outputTokenLimit"] == described.max_output_tokens
    assert listed.get("thinking", False) == described.reasoning


def test_a_listing_leaves_out_what_is_retired() -> None:
    assert names(page()) == LIVE
    assert "nextPageToken" not in page()


@pytest.mark.parametrize("size", [1, 3, len(LIVE) - 1, len(LIVE)])
@pytest.mark.parametrize("keys", [("pageSize", "pageToken"), ("page_size", "page_token")])
def test_pages_joined_are_the_listing(size: int, keys: tuple[str, str]) -> None:
    listed = page(**{keys[0]: str(size)})
    found = names(listed)
    while "nextPageToken" in listed:
        assert len(listed["models"]) == size
        listed = page(**{keys[0]: str(size), keys[1]: listed["nextPageToken"]})
        found += names(listed)
    assert found == LIVE


@pytest.mark.parametrize("size", ["0", "100000"])
def test_a_size_out_of_bounds_is_passed_over(size: str) -> None:
    assert names(page(pageSize=size)) == LIVE


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"pageSize": "many"}, "'page_size'"),
        ({"pageSize": "-1"}, "'page_size'"),
        ({"pageToken": "nonsense"}, "page token"),
        ({"pageToken": "\u00e9"}, "page token"),
        ({"pageToken": "bW9kZWxzLy0x"}, "page token"),
        ({"pageToken": "NQ=="}, "page token"),
        ({"pageToken": "bW9kZWxzLzk5OTk5"}, "page token"),
    ],
)
def test_what_is_wrong_is_named(query: dict[str, str], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        page(**query)
