"""JSON texts that break off, beside what the SDKs' own incremental reader makes of them."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiter import from_json

from llmsim.providers.wire.partial_json import complete_value

TEXT = r'{"a": "x\"y,{", "b": [1, 22, {"c": true, "d": {"e": null}}], "f": -1.5, "g": "}\\"}'


@pytest.mark.parametrize("length", range(1, len(TEXT) + 1))
def test_a_text_cut_anywhere_is_what_an_incremental_reader_has(length: int) -> None:
    text = TEXT[:length]
    try:
        expected = from_json(text.encode(), partial_mode=True)
    except ValueError:  # in the middle of a number
        assert text[-1] in "-."
        return
    assert complete_value(text) == expected


@pytest.mark.parametrize("text", ["", "{", '{"a', '{"a"', '{"a":', '{"a": "b', '{"a": tru'])
def test_nothing_certain_is_an_empty_object(text: str) -> None:
    assert complete_value(text) == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), st.integers(0, 200))
def test_what_is_read_is_always_an_object(value: dict[str, Any], length: int) -> None:
    text = orjson.dumps(value).decode()
    assert complete_value(text) == value
    assert isinstance(complete_value(text[:length]), dict)
