from typing import Any

import pytest

from llmsim.core import Message
from llmsim.core.errors import BadRequest
from llmsim.providers.openai.inputs import messages


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("a text", [Message("user", "a text")]),
        ("", [Message("user", "")]),
        (["a", "b"], [Message("user", "a"), Message("user", "b")]),
        ([1, 2, 3], [Message("user", tokens=(1, 2, 3))]),
        ([[1], [2, 3]], [Message("user", tokens=(1,)), Message("user", tokens=(2, 3))]),
    ],
)
def test_every_form_is_one_message_a_text(texts: Any, expected: list[Message]) -> None:
    assert list(messages(texts, "input")) == expected


@pytest.mark.parametrize(
    ("texts", "param", "code"),
    [
        ([], "input", "empty_array"),
        ([[1], []], "input[1]", "empty_array"),
        (["a", 1], "input", "invalid_type"),
        ([1, [2]], "input", "invalid_type"),
        (["a", [2]], "input", "invalid_type"),
    ],
)
def test_empty_and_mixed_lists_are_refused(texts: Any, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as caught:
        messages(texts, "input")
    assert (caught.value.failure.param, caught.value.failure.code) == (param, code)
