"""OpenAI's model objects."""

import orjson
from openai.types import Model as Typed

from llmsim.core.catalog import models
from llmsim.providers.openai import model_list


def test_a_model_is_what_the_sdk_expects() -> None:
    body = orjson.loads(model_list.model(models.MODELS["gpt-4o"]))
    typed = Typed.model_validate(body)
    assert (typed.id, typed.object, typed.owned_by) == ("gpt-4o", "model", body["owned_by"])
    assert typed.created == models.MODELS["gpt-4o"].created


def test_a_model_has_no_field_that_openai_has_not() -> None:
    body = orjson.loads(model_list.model(models.MODELS["gpt-4o"]))
    assert set(body) <= set(Typed.model_fields)


def test_a_listing_has_every_model_in_order() -> None:
    listed = list(models.MODELS.values())
    listing = orjson.loads(model_list.page(listed, {}))
    assert listing["object"] == "list"
    assert [one["id"] for one in listing["data"]] == list(models.MODELS)
    assert listing["data"] == [orjson.loads(model_list.model(one)) for one in listed]


def test_a_listing_of_nothing() -> None:
    assert orjson.loads(model_list.page([], {})) == {"object": "list", "data": []}
