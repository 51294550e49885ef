"""What tests ask about a request, whichever API it came in."""

from typing import Any

import pytest

from llmsim.testing.received_request import ReceivedRequest

HI = [{"role": "user", "content": "Hi"}]


def recorded(body: Any, **fields: Any) -> ReceivedRequest:
    raw = {"id": "1", "endpoint": "/v1/x", "model": "m", "status": 200, "arrived": 1.0}
    return ReceivedRequest({**raw, "request": body, **fields})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"messages": HI}, "Hi"),
        ({"system": "Be kind.", "messages": HI}, "Be kind.\nHi"),
        ({"instructions": "Be kind.", "input": "Hi"}, "Be kind.\nHi"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]}, "Hi"),
        ({"systemInstruction": {"parts": [{"text": "A"}]}, "contents": "Hi"}, "A\nHi"),
        ({"contents": [{"role": "user", "parts": [{"text": "Hi"}, {"text": "ho"}]}]}, "Hi\nho"),
        ({"prompt": "Hi"}, "Hi"),
        ({"input": ["Hi", "ho"]}, "Hi\nho"),
        ("no JSON", ""),
        ({}, ""),
    ],
)
def test_the_text_is_what_was_said(body: Any, text: str) -> None:
    assert recorded(body).text == text


def test_a_text_alone_is_a_message() -> None:
    assert recorded({"input": "Hi"}).messages == HI
    assert recorded({"messages": HI}).messages == HI


@pytest.mark.parametrize(
    ("tools", "names"),
    [
        (
            [{"type": "function", "function": {"name": "f"}}, {"type": "web_search"}],
            ["f", "web_search"],
        ),
        ([{"name": "f", "input_schema": {}}], ["f"]),
        ([{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}], ["f", "g"]),
        (["x"], []),
        (None, []),
    ],
)
def test_tools_have_names(tools: Any, names: list[str]) -> None:
    assert recorded({"tools": tools}).tools == names


def test_it_shows_its_last_line_and_what_decided() -> None:
    one = recorded({"messages": [*HI, {"role": "user", "content": "x" * 99}]}, mock="weather")
    assert repr(one) == f"</v1/x m 200 '{'x' * 57}…' mock='weather'>"
