"""Conversations that are too long for their model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from llmsim.core import Message, Request, Role, Tool
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.engine.tokens.truncation import truncated

ENCODING = tokenizer("o200k_base")


def request(*messages: tuple[Role, str], most: int | None = None) -> Request:
    made = tuple(Message(role, text) for role, text in messages)
    return Request("gpt-4o", made, max_tokens=most, tools=(Tool("f", "Does f"),))


def roles(given: Request) -> str:
    return "".join(message.role[0] for message in given.messages)


def test_what_fits_stays_as_it_is() -> None:
    given = request(("system", "be brief"), ("user", "hi"))
    assert truncated(given, ENCODING, 1000) is given


def test_instructions_and_the_last_message_stay() -> None:
    given = request(("user", "a" * 50), ("system", "be brief"), ("user", "b" * 50))
    left = truncated(given, ENCODING, 1)
    assert left.messages == given.messages[1:]


@pytest.mark.parametrize("most", [None, 1, 40])
def test_as_much_as_possible_stays(most: int | None) -> None:
    messages: list[tuple[Role, str]] = [("system", "be brief")]
    messages += [("user", "words " * 5), ("assistant", "more words " * 5)] * 4
    given = request(*messages, most=most)
    window = 120
    left = truncated(given, ENCODING, window)
    room = window - (most or 1)
    assert prompt.tokens(left, ENCODING) <= room
    dropped = len(given.messages) - len(left.messages)
    assert dropped > 0
    assert left.messages == (given.messages[0], *given.messages[1 + dropped :])
    before = (given.messages[0], *given.messages[dropped:])
    assert prompt.tokens(structs.replace(given, messages=before), ENCODING) > room


@given(
    window=st.integers(1, 300),
    said=st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=60)),
        min_size=1,
        max_size=8,
    ),
)
def test_only_the_beginning_is_left_out(window: int, said: list[tuple[Role, str]]) -> None:
    given = request(*said)
    left = truncated(given, ENCODING, window).messages
    assert left[-1] == given.messages[-1]
    kept = [message for message in left if message.role != "system"]
    others = [message for message in given.messages if message.role != "system"]
    assert not kept or others[-len(kept) :] == kept
    assert roles(given).count("s") == sum(message.role == "system" for message in left)
