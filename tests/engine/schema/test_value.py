"""The same schema and seed give the same value everywhere; other seeds give others."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from typing import Any

import pytest

from llmsim.engine.schema import ImpossibleSchema, text, value
from tests.engine.schema.corpus import entries

SCHEMAS = [entry["schema"] for _, entry in entries()]
DIGEST = """
import json
from hashlib import sha256
from llmsim.engine.schema import text
from tests.engine.schema.corpus import entries
texts = [text(entry["schema"], seed) for seed in range(3) for _, entry in entries()]
print(sha256("\\n".join(texts).encode()).hexdigest())
"""

PERSON = {
    "type": "object",
    "properties": {
        "first_name": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "home_city": {"type": "string"},
        "age": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["first_name", "email", "home_city", "age", "tags"],
}


def digest(texts: list[str]) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()


def test_every_process_makes_the_same_values() -> None:
    here = digest([text(schema, seed) for seed in range(3) for schema in SCHEMAS])
    for hash_seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == here


def test_order_of_the_calls_does_not_matter() -> None:
    forwards = [[value(schema, seed) for seed in range(6)] for schema in SCHEMAS]
    fresh = [{"$comment": "another", **s} if isinstance(s, dict) else s for s in SCHEMAS]
    backwards = [[value(schema, seed) for seed in range(5, -1, -1)] for schema in fresh]
    assert [each[::-1] for each in backwards] == forwards


def test_a_value_is_the_callers_own() -> None:
    schema = {"const": {"list": [1]}}
    value(schema, 0)["list"].append(2)
    assert value(schema, 0) == {"list": [1]}


def test_seeds_give_different_values() -> None:
    assert len({text(PERSON, seed) for seed in range(50)}) >= 45


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31, 2**64, 2**200, -(2**200)])
def test_any_integer_is_a_seed(seed: int) -> None:
    assert value({"type": "boolean"}, seed) in {True, False}


def test_values_are_plausible() -> None:
    made = [value(PERSON, seed) for seed in range(20)]
    assert all(each["first_name"].istitle() and " " not in each["first_name"] for each in made)
    assert all("@example." in each["email"] for each in made)
    assert all(18 <= each["age"] <= 80 for each in made)
    assert all(each["home_city"][0].isupper() for each in made)
    assert all(1 <= len(each["tags"]) <= 3 for each in made)


def test_properties_come_in_the_order_of_the_schema() -> None:
    names = [f"p{number}" for number in (3, 1, 2)]
    schema = {"type": "object", "properties": {name: {"type": "null"} for name in names}}
    for seed in range(20):
        made = list(value(schema, seed))
        assert made == [name for name in names if name in made]
    assert list(value({**schema, "required": sorted(names)}, 1)) == names


def test_optional_properties_come_and_go() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "null"}}}
    assert {text(schema, seed) for seed in range(20)} == {"{}", '{"a":null}'}


def test_description_gives_the_example() -> None:
    schema = {"type": "string", "description": "The city and state, e.g. San Francisco, CA"}
    assert "San Francisco, CA" in [value(schema, seed) for seed in range(5)]


def test_recursion_stays_small() -> None:
    tree: dict[str, Any] = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["children"],
    }
    assert max(len(text(tree, seed)) for seed in range(200)) < 500


def test_text_is_compact_json() -> None:
    schema = {"type": "object", "properties": {"é": {"const": [1, 2.5, None]}}, "required": ["é"]}
    assert text(schema, 0) == '{"é":[1,2.5,null]}'


def test_text_of_large_integers() -> None:
    assert json.loads(text({"const": 10**30}, 0)) == 10**30


def test_a_schema_is_not_changed() -> None:
    for schema in SCHEMAS:
        before = json.dumps(schema)
        value(schema, 5)
        assert json.dumps(schema) == before


def test_failure_is_not_remembered_as_success() -> None:
    schema = {"type": "array", "items": False, "minItems": 1}
    for _ in range(2):
        with pytest.raises(ImpossibleSchema):
            value(schema, 0)
