"""How many tokens a prompt is: the published formula, image tiles, tools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Format, Image, Message, Request, Tool, ToolCall
from llmsim.engine.tokens import prompt, ranks
from llmsim.engine.tokens.prompt import Lengthy, call_tokens, image_tokens, tokens
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


def test_tools_and_schemas_count() -> None:
    plain = chat(Message("user", "hi"))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    bare = Request("gpt-4o", plain.messages, tools=(Tool("f"),))
    full = Request("gpt-4o", plain.messages, tools=(Tool("f", "What it does", schema),))
    both = Request("gpt-4o", plain.messages, tools=(Tool("f"), Tool("f")))
    form = Request("gpt-4o", plain.messages, format=Format(schema))
    counts = [tokens(request, ENCODING) for request in (plain, bare, full, both, form)]
    assert counts[1] == counts[0] + prompt.PER_TOOLS + prompt.PER_TOOL + 1
    assert counts[3] == counts[1] + prompt.PER_TOOL + 1
    assert counts[2] > counts[1]
    assert counts[4] > counts[0]


@pytest.mark.parametrize(
    ("detail", "width", "height", "expected"),
    [
        ("low", 4096, 8192, 85),
        ("low", 0, 0, 85),
        ("auto", 0, 0, 765),
        ("high", 1024, 1024, 765),  # the examples of OpenAI's guide
        ("high", 2048, 4096, 1105),
        ("high", 512, 512, 255),
        ("auto", 513, 512, 425),
        ("auto", 1, 1, 255),
        ("auto", 1, 10_000, 85 + 4 * 170),
        ("auto", 4_000_000_000, 1, 85 + 4 * 170),
        ("auto", 768, 768, 765),
    ],
)
def test_a_picture_counts_its_tiles(detail: str, width: int, height: int, expected: int) -> None:
    assert image_tokens(Image(detail, width, height)) == expected


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (0, 0, 1600),
        (200, 200, 54),  # the examples of Anthropic's guide
        (1000, 1000, 1334),
        (1092, 1092, 1590),
        (10_000, 10_000, 1600),
        (1, 1_000_000, 3),
    ],
)
def test_a_picture_counts_its_area(width: int, height: int, expected: int) -> None:
    assert image_tokens(Image("auto", width, height, "area")) == expected


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_picture_on_its_side_counts_the_same(width: int, height: int) -> None:
    upright, lying = Image("high", width, height), Image("high", height, width)
    assert image_tokens(upright) == image_tokens(lying) >= 255


def test_counting_stops_where_it_would_take_long() -> None:
    fresh = Tokenizer(ranks.encoding("o200k_base"))
    request = chat(Message("user", "x" * 60), Message("user", "y" * 60))
    with pytest.raises(Lengthy):
        tokens(request, fresh, 100)
    counted = tokens(request, fresh, 120)
    assert tokens(request, fresh, 0) == counted, "what was counted lately takes no time"
