"""Texts of a JSON document and their places."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.recordings.anonymise.json_strings import NotJsonError, encoded, leaves

DOCUMENT = '{"a": ["x", {"b" :"\\u00e9\\n"}], "n": 12, "index":1,\n"t": true}'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_every_text_has_its_place() -> None:
    found = leaves(DOCUMENT)
    assert [(one.path, one.value) for one in found if not one.is_key] == [
        (("a", 0), "x"),
        (("a", 1, "b"), "é\n"),
        (("n",), "12"),
        (("index",), "1"),
        (("t",), "true"),
    ]
    for one in found:
        written = DOCUMENT[one.start : one.stop]
        assert json.loads(written) == one.value if one.is_text else written == one.value
        assert one.part == (("index", "1"),)


@given(st.lists(VALUES) | st.dictionaries(st.text(), VALUES), st.booleans())
def test_nothing_is_missed(document: object, ascii_only: bool) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only)
    texts = [one.value for one in leaves(text) if one.is_text]

    def strings(value: object) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, list):
            return [text for one in value for text in strings(one)]
        if isinstance(value, dict):
            return [text for name, one in value.items() for text in (name, *strings(one))]
        return []

    assert texts == strings(document)


@pytest.mark.parametrize(
    "text", ["", "7", '"a"', "{", '{"a"}', '{"a" 1}', "[1", "{1: 2}", '["a', "[" * 2000]
)
def test_what_is_no_document(text: str) -> None:
    with pytest.raises(NotJsonError):
        leaves(text)


def test_texts_are_written_as_they_were() -> None:
    assert encoded('é"', '"\\u00e8"') == '"\\u00e9\\""'
    assert encoded("é", '"è"') == '"é"'
    assert encoded("é", '"e"') == '"é"'
