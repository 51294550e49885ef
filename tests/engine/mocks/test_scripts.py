"""Where a script is."""

import pytest

from llmsim.core import Message, Request
from llmsim.core.mocks.mock import OnExhausted
from llmsim.core.mocks.response import MockError, MockResponse
from llmsim.engine.mocks import scripts

FAIL = MockResponse(error=MockError("overloaded"))


def spelled(turns: str) -> list[MockResponse]:
    """A script: letters are answers, dashes are errors."""
    return [FAIL if turn == "-" else MockResponse(turn) for turn in turns]


def walked(turns: str, exhausted: OnExhausted, requests: str) -> str:
    """What a conversation gets. A client goes on after an answer (``>``) or sends again what it
    sent (``=``); after an error it can only send again."""
    visited: set[str] = set()
    said = ""
    answered = 0

    def fresh(place: str) -> bool:
        new = place not in visited
        visited.add(place)
        return new

    for request in requests:
        if request == ">" and said and said[-1] not in "-!":
            answered += 1
        speech = scripts.turn(spelled(turns), answered, exhausted, fresh)
        said += "!" if speech is None else "-" if speech.error else speech.content or ""
    return said


@pytest.mark.parametrize(
    ("turns", "exhausted", "requests", "said"),
    [
        ("abc", "repeat_last", ">>>>>", "abccc"),
        ("abc", "error", ">>>>", "abc!"),
        ("abc", "loop", ">>>>>>>", "abcabca"),
        ("abc", "repeat_last", ">==>=", "aaabb"),
        ("a-b", "repeat_last", ">>>>", "a-bb"),
        ("a-b", "repeat_last", ">>>==", "a-bbb"),
        ("-a", "repeat_last", ">>>", "-aa"),
        ("--ab", "error", ">>>>>", "--ab!"),
        ("ab-", "error", ">>>>", "ab-!"),
        ("ab-", "repeat_last", ">>>>", "ab--"),
        ("a-", "loop", ">>>>>>", "a-a-a-"),
        ("-a", "loop", ">>>>>>", "-a-a-a"),
        ("--", "error", ">>>", "--!"),
        ("--", "repeat_last", ">>>", "---"),
    ],
)
def test_a_conversation(turns: str, exhausted: OnExhausted, requests: str, said: str) -> None:
    assert walked(turns, exhausted, requests) == said


@pytest.mark.parametrize(
    ("exhausted", "said"), [("repeat_last", "abbb"), ("loop", "abab"), ("error", "ab!!")]
)
def test_all_requests_in_one_order(exhausted: OnExhausted, said: str) -> None:
    made = [scripts.at(spelled("ab"), place, exhausted) for place in range(4)]
    assert "".join("!" if one is None else one.content or "" for one in made) == said


def test_a_conversation_is_whose_it_is_and_how_it_began() -> None:
    def of(key: str, *said: tuple[str, str]) -> str:
        return scripts.conversation(
            Request("m", tuple(Message(role, text) for role, text in said)), key
        )

    first = of("k", ("system", "a"), ("user", "x"))
    assert first == of("k", ("system", "b"), ("user", "x"), ("assistant", "y"), ("user", "z"))
    assert len({first, of("k2", ("user", "x")), of("k", ("user", "y"))}) == 3
