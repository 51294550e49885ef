"""How many tokens a prompt is: the published formula, image tiles, tools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Format, Image, Message, Request, ToolCall
from llmsim.engine.tokens import prompt, ranks
from llmsim.engine.tokens.prompt import Lengthy, call_tokens, tokens
from llmsim.engine.tokens.tokenizer import Tokenizer, tokenizer

ENCODING = tokenizer("o200k_base")


def chat(*messages: Message) -> Request:
    return Request("gpt-4o", messages)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([Message("user", "hi")], 3 + (3 + 1 + 1)),
        ([Message("user", "")], 3 + 4),
        ([Message("system", "hello world"), Message("user", "hi")], 3 + (4 + 2) + (4 + 1)),
        ([Message("user", "hi", name="example_user")], 3 + 4 + 1 + 2 + 1),
        ([Message("user", "hi", images=(Image("low"), Image("high")))], 3 + 4 + 1 + 85 + 765),
        ([Message("user", "", extra=17)], 3 + 4 + 17),
        ([Message("user", tokens=(24912, 2375))], 3 + 4 + 2),
    ],
)
def test_a_chat_is_counted_by_the_published_formula(messages: list[Message], expected: int) -> None:
    assert tokens(chat(*messages), ENCODING) == expected


# OpenAI's cookbook, "How to count tokens with tiktoken": what the live service counted.
COOKBOOK = [
    ("system", None, "You are a helpful, pattern-following assistant that translates corporate "
     "jargon into plain English."),
    ("system", "example_user", "New synergies will help drive top-line growth."),
    ("system", "example_assistant", "Things working well together will increase revenue."),
    ("system", "example_user", "Let's circle back when we have more bandwidth to touch base on "
     "opportunities for increased leverage."),
    ("system", "example_assistant", "Let's talk later when we're less busy about how to do "
     "better."),
    ("user", None, "This late pivot means we don't have time to boil the ocean for the client "
     "deliverable."),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "counted"), [("cl100k_base", 129), ("o200k_base", 124)])
def test_the_cookbooks_example(encoding: str, counted: int) -> None:
    messages = [Message(role, text, name) for role, name, text in COOKBOOK]
    assert tokens(chat(*messages), tokenizer(encoding)) == counted


@given(st.lists(st.text(max_size=50), max_size=6))
def test_every_message_adds_its_own_tokens(texts: list[str]) -> None:
    messages = [Message("user", text) for text in texts]
    counted = sum(4 + len(ranks.encoding("o200k_base").encode_ordinary(text)) for text in texts)
    assert tokens(chat(*messages), ENCODING) == 3 + counted


def test_a_call_counts_its_name_and_its_arguments() -> None:
    call = ToolCall("call_1", "get_weather", '{"city":"Paris"}')
    count = ENCODING.count("get_weather") + ENCODING.count('{"city":"Paris"}')
    assert call_tokens(call, ENCODING.count) == prompt.PER_CALL + count
    with_call = chat(Message("assistant", calls=(call, call)))
    assert tokens(with_call, ENCODING) == 3 + 4 + 2 * (prompt.PER_CALL + count)


def test_schemas_of_answers_count_as_json() -> None:
    plain = chat(Message("user", "hi"))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = Request("gpt-4o", plain.messages, format=Format(schema))
    json = '{"type":"object","properties":{"city":{"type":"string"}}}'
    assert tokens(form, ENCODING) == tokens(plain, ENCODING) + ENCODING.count(json)


def test_counting_stops_where_it_would_take_long() -> None:
    fresh = Tokenizer(ranks.encoding("o200k_base"))
    request = chat(Message("user", "x" * 60), Message("user", "y" * 60))
    with pytest.raises(Lengthy):
        tokens(request, fresh, 100)
    counted = tokens(request, fresh, 120)
    assert tokens(request, fresh, 0) == counted, "what was counted lately takes no time"
