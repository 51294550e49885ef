"""Which requests a test means, and what it is told when they were others."""

import pytest

from llmsim.testing.calls import SHOWN, Calls
from llmsim.testing.received_request import ReceivedRequest


def request(text: str, model: str = "gpt-4o", **body: object) -> ReceivedRequest:
    raw = {"id": "1", "endpoint": "/v1/x", "model": model, "status": 200, "arrived": 1.0}
    said = {"messages": [{"role": "user", "content": text}], **body}
    return ReceivedRequest({**raw, "request": said})


HI, BYE = request("Hi"), request("Goodbye", "claude", tools=[{"name": "f"}])
BOTH = [HI, BYE]
CALL = {"role": "assistant", "content": [{"type": "tool_use", "name": "g"}]}


@pytest.mark.parametrize(
    ("model", "contains", "tool", "found"),
    [
        (None, None, None, BOTH),
        ("gpt-4o", None, None, [HI]),
        ("gpt-*", None, None, [HI]),
        (None, "bye", None, [BYE]),
        (None, None, "f", [BYE]),
        ("gpt-*", "bye", None, []),
    ],
)
def test_what_is_meant(
    model: str | None, contains: str | None, tool: str | None, found: list[ReceivedRequest]
) -> None:
    assert Calls(BOTH, model, contains, tool).found == found


def test_a_tool_that_was_called_counts_too() -> None:
    assert Calls([request("Hi", messages=[CALL])], None, None, "g").found


@pytest.mark.parametrize(
    ("times", "wrong"), [(None, False), (2, False), (1, True), (0, True), (3, True)]
)
def test_how_many_are_expected(times: int | None, wrong: bool) -> None:
    assert Calls(BOTH, None, None, None).wrong(times) is wrong


def test_the_nearest_lacks_least_and_is_most_alike() -> None:
    near = request("How is the weather in Paris?")
    calls = Calls([HI, near, BYE], "gpt-4o", "weather in London", None)
    lines = calls.message(None).splitlines()
    assert lines[0] == (
        "expected at least one request with model='gpt-4o', contains='weather in London', got 0"
    )
    assert lines[1:3] == [f"nearest: {near!r}", f"  its text is {near.text!r}"]
    assert lines[3:] == ["all 3 requests, newest last:", *(f"  {one!r}" for one in (HI, near, BYE))]


def test_the_latest_are_listed() -> None:
    message = Calls([HI] * 3 * SHOWN, "o3", None, "f").message(1)
    assert message.count("Hi") == SHOWN + 1
    assert "its model is 'gpt-4o'\n  its tools are none" in message


def test_nothing_was_sent() -> None:
    message = Calls([], None, None, None).message(1)
    assert message == "expected 1 request, got 0: there was no request at all"
