"""Random schemas that are known to admit a value: one must be made, and be valid."""

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmsim.engine.schema import value
from tests.effort import examples
from tests.engine.schema.judge import faults

Schema = dict[str, Any] | bool

NAMES = st.sampled_from(["a", "b", "city", "user_id", "x1", "", "é"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.integers(-1000, 1000).map(lambda n: n / 8)
    | st.text("abcXYZ 019-_é", max_size=12)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


KINDS = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


@st.composite
def about_numbers(draw: st.DrawFn, admitted: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "minimum": admitted - draw(st.sampled_from([0, 0.5, 3])),
        "maximum": admitted + draw(st.sampled_from([0, 0.5, 3])),
        "exclusiveMinimum": admitted - draw(st.sampled_from([0.25, 1, 7])),
        "exclusiveMaximum": admitted + draw(st.sampled_from([0.25, 1, 7])),
        "multipleOf": draw(st.sampled_from([0.125, 0.0625])),
    }
    return some(draw, options)


@st.composite
def about_strings(draw: st.DrawFn, admitted: str) -> dict[str, Any]:
    start = re.escape(admitted[:2])
    options: dict[str, Any] = {
        "minLength": max(0, len(admitted) - draw(st.integers(0, 3))),
        "maxLength": len(admitted) + draw(st.integers(0, 3)),
        "pattern": draw(
            st.sampled_from(
                [f"^{start}", "^[^#]*$", "^.*$", r"^[\w\sé-]*$", f"^{re.escape(admitted)}"]
            )
        ),
    }
    return some(draw, options)


@st.composite
def about_arrays(draw: st.DrawFn, admitted: list[Any]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "minItems": max(0, len(admitted) - draw(st.integers(0, 1))),
        "maxItems": len(admitted) + draw(st.integers(0, 2)),
    }
    if admitted:
        options["prefixItems"] = [draw(admitting(each)) for each in admitted[:2]]
        options["items"] = {"anyOf": [draw(admitting(each)) for each in admitted]}
        options["contains"] = draw(admitting(draw(st.sampled_from(admitted))))
    if len({json.dumps(each, sort_keys=True) for each in admitted}) == len(admitted):
        options["uniqueItems"] = True
    return some(draw, options)


@st.composite
def about_objects(draw: st.DrawFn, admitted: dict[str, Any]) -> dict[str, Any]:
    names = list(admitted)
    options: dict[str, Any] = {
        "properties": {name: draw(admitting(each)) for name, each in admitted.items()},
        "required": draw(st.lists(st.sampled_from(names), unique=True)) if names else [],
        "minProperties": max(0, len(names) - draw(st.integers(0, 1))),
        "maxProperties": len(names) + draw(st.integers(0, 2)),
        "propertyNames": {"maxLength": 7},
        "patternProperties": {"^zz": {"type": "null"}},
        "dependentRequired": {"absent": ["b"]},
    }
    chosen = some(draw, options)
    if names == list(chosen.get("properties", {})) and draw(st.booleans()):
        chosen["additionalProperties"] = draw(st.sampled_from([False, {"type": "integer"}]))
    return chosen


def some(draw: st.DrawFn, options: dict[str, Any]) -> dict[str, Any]:
    """A few of the keywords."""
    return {key: each for key, each in options.items() if draw(st.integers(0, 2)) == 0}


@st.composite
def plain(draw: st.DrawFn, admitted: Any) -> Schema:
    """Keywords about the value's own type."""
    form = KINDS[type(admitted)]
    about: dict[str, Any] = {
        "integer": about_numbers,
        "number": about_numbers,
        "string": about_strings,
        "array": about_arrays,
        "object": about_objects,
    }
    found = draw(about[form](admitted)) if form in about else {}
    types: list[Any] = [None, form, [form, "null"], [form, "string"]]
    if (chosen := draw(st.sampled_from(types))) is not None:
        found["type"] = chosen
    if draw(st.integers(0, 7)) == 0:
        found["enum"] = [*draw(st.lists(SCALARS, max_size=3)), admitted]
    return found


@st.composite
def combined(draw: st.DrawFn, admitted: Any, inner: st.SearchStrategy[Schema]) -> Schema:
    """Applicators around schemas that admit the value."""
    one, other = draw(inner), draw(inner)
    decoy = draw(st.sampled_from([{"const": "decoy"}, {"type": "null"}, False, {"minLength": 40}]))
    fails = {"const": "decoy"}  # nothing drawn above is this text
    return draw(
        st.sampled_from(
            [
                {"allOf": [one, other]},
                {"anyOf": [decoy, one]},
                {"anyOf": [one, other]},
                {"oneOf": [one, fails]} if same_only(one, fails) else {"anyOf": [fails, one]},
                {"not": {"not": one}},
                {"not": {"const": "decoy"}, "allOf": [one]},
                {"if": one, "then": other},
                {"if": fails, "then": False, "else": one},
            ]
        )
    )


def same_only(schema: Schema, other: Schema) -> bool:
    """Whether what `other` lists is invalid under `schema`."""
    return isinstance(other, dict) and bool(faults(schema, other["const"]))


def admitting(admitted: Any) -> st.SearchStrategy[Schema]:
    """Schemas under which the value is valid."""
    base = plain(admitted)
    return base | combined(admitted, base)


@st.composite
def schemas(draw: st.DrawFn) -> tuple[Schema, Any]:
    admitted = draw(JSON)
    schema = draw(admitting(admitted))
    if draw(st.integers(0, 4)) == 0:
        schema = {"$defs": {"d": schema, "e": {"$ref": "#/$defs/d"}}, "$ref": "#/$defs/e"}
    return schema, admitted


@settings(max_examples=examples(400), suppress_health_check=list(HealthCheck))
@given(schemas(), st.integers(0, 2**64))
def test_a_schema_that_admits_a_value_gets_a_valid_one(pair: tuple[Schema, Any], seed: int) -> None:
    schema, admitted = pair
    assert faults(schema, admitted) == []
    assert faults(schema, value(schema, seed)) == []
