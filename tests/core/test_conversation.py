"""Conversations: whether calls and results fit together, and which results are new."""

from collections.abc import Sequence

import pytest

from llmsim.core import Message, ToolCall
from llmsim.core.conversation import Orphan, Unanswered, mismatch, results

HI = Message("user", "hi")
OK = Message("assistant", "ok")


def calling(*names: str) -> Message:
    return Message("assistant", calls=tuple(ToolCall(name, "f", "{}") for name in names))


def answer(name: str | None) -> Message:
    return Message("tool", "done", answers=name)


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([], None),
        ([HI, OK, HI], None),
        ([HI, calling("a"), answer("a")], None),
        ([HI, calling("a", "b"), answer("b"), answer("a"), HI], None),
        ([HI, calling("a"), answer("a"), calling("a"), answer("a")], None),
        ([HI, answer("a")], Orphan(1, "a")),
        ([HI, calling("a"), answer("a"), answer("a")], Orphan(3, "a")),
        ([HI, calling("a"), answer("b")], Orphan(2, "b")),
        ([HI, calling("a")], Unanswered(1, ("a",))),
        ([HI, calling("a", "b", "c"), answer("b"), HI], Unanswered(1, ("a", "c"))),
        ([HI, calling("a"), HI, answer("a")], Unanswered(1, ("a",))),
        ([HI, calling(""), HI], None),
        ([HI, answer(None)], None),
    ],
)
def test_mismatch(messages: Sequence[Message], found: Orphan | Unanswered | None) -> None:
    assert mismatch(messages) == found


@pytest.mark.parametrize(
    ("messages", "new"),
    [
        ([], []),
        ([HI], []),
        ([HI, calling("a"), answer("a")], ["a"]),
        ([HI, calling("a", "b"), answer("a"), answer("b")], ["a", "b"]),
        ([HI, calling("a"), answer("a"), HI], ["a"]),
        ([HI, calling("a"), answer("a"), OK], []),
        ([HI, calling("a"), answer("a"), OK, HI], []),
        ([HI, calling("a"), answer("a"), calling("b"), answer("b")], ["b"]),
    ],
)
def test_results(messages: Sequence[Message], new: list[str]) -> None:
    assert [message.answers for message in results(messages)] == new
