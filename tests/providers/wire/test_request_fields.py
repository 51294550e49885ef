"""Which fields a body has that its schema has not."""

from typing import Any

import pytest

from llmsim.providers.wire.request_fields import MapKey, Misfit, RequestFields, Variant

TYPES = {
    "Body": {
        "text": "scalar",
        "free": None,
        "one": "Leaf",
        "many": {"list": "Leaf"},
        "named": {"map": "Leaf"},
        "either": {"any": [{"list": "Leaf"}, "Leaf"]},
        "union": {"by": "type", "of": {"a": "Leaf", "b": "Other"}, "default": "a"},
        "open": {"by": "type", "of": {"a": "Leaf"}, "else": "Other"},
    },
    "Leaf": {"type": "scalar", "leaf": "scalar", "body": "Body"},
    "Other": {"type": "scalar", "other": "scalar"},
}
FIELDS = RequestFields("Body", TYPES)


@pytest.mark.parametrize(
    ("body", "misfits"),
    [
        ({"text": "x", "free": {"any": [{"thing": 1}]}, "one": {"leaf": 1}}, []),
        ({"wrong": 1}, [Misfit((), "wrong")]),
        ({"one": {"wrong": 1}}, [Misfit(("one",), "wrong")]),
        ({"many": [{}, {"wrong": 1}]}, [Misfit(("many", 1), "wrong")]),
        ({"named": {"x": {}, "y": {"wrong": 1}}}, [Misfit(("named", MapKey(1, "y")), "wrong")]),
        ({"either": {"wrong": 1}}, [Misfit(("either",), "wrong")]),
        ({"either": [{"wrong": 1}]}, [Misfit(("either", 0), "wrong")]),
        ({"union": {"leaf": 1}}, []),
        ({"union": {"other": 1}}, [Misfit(("union", Variant("a")), "other")]),
        ({"union": {"type": "b", "leaf": 1}}, [Misfit(("union", Variant("b")), "leaf")]),
        ({"union": {"type": "new", "anything": 1}}, []),
        ({"open": {"type": "new", "other": 1}}, []),
        ({"open": {"type": "new", "leaf": 1}}, [Misfit(("open",), "leaf")]),
        ({"text": ["x"]}, [Misfit((), "text", listed=True)]),
        ({"one": "text", "many": {}, "union": 3}, []),
        ({"x": 1, "one": {"body": {"y": 1}}}, [Misfit((), "x"), Misfit(("one", "body"), "y")]),
        ([], []),
        ("text", []),
    ],
)
def test_what_does_not_fit(body: Any, misfits: list[Misfit]) -> None:
    assert list(FIELDS.misfits(body)) == misfits
