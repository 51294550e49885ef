"""What a response becomes, in every dialect, plain and streamed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from llmsim.config import document
from llmsim.config.document import Faults
from llmsim.config.speech import Speech, SpeechRead
from llmsim.dialects.anthropic import Anthropic
from llmsim.dialects.gemini import Gemini
from llmsim.dialects.openai_chat import OpenAIChat
from llmsim.dialects.openai_responses import OpenAIResponses
from llmsim.engine.answer import Draw
from llmsim.engine.mocks.rendering import Occasion, failed, spoken
from llmsim.engine.mocks.view import View
from llmsim.engine.orders import Orders
from llmsim.engine.plan import plan
from llmsim.errors import Kind
from llmsim.exchange import Called, Dialect, Finish, Plan, Refused, Said
from tests.engine.asking import STAMP, rules

TALK = [{"role": "user", "content": 'say "{{ model }}" now'}]
CHAT = {"model": "gpt-4o", "messages": TALK, "user": 'a"b', "n": 1}
BODIES: list[tuple[Any, dict[str, Any]]] = [
    (lambda stream: OpenAIChat(), CHAT),
    (lambda stream: OpenAIResponses(), {"model": "gpt-4o", "input": "hello"}),
    (lambda stream: Anthropic(), {"model": "claude-x", "messages": TALK, "max_tokens": 500}),
    (
        lambda stream: Gemini("gemini-2.0-flash", stream, stream),
        {"contents": [{"parts": [{"text": "x"}]}]},
    ),
]


def speech(text: str) -> Speech:
    found = Faults()
    node = document.parsed(text, "speech", found)
    found.settle()
    return SpeechRead().read(node, "response")


def occasion(body: dict[str, Any] = CHAT, regexes: Any = ()) -> Occasion:
    raw = orjson.dumps(body)
    ask = OpenAIChat().decode(raw)
    header = {"x-who": "me"}.get
    return Occasion(View(ask, "/v1/x", "openai_chat", raw, header, {}), 7, 3, regexes)


def answered(text: str, dialect: Dialect, body: dict[str, Any]) -> Plan:
    ask = dialect.decode(orjson.dumps(body))
    orders = Orders(mock=spoken(speech(text), occasion()))
    return plan(ask, rules(ask.model), Draw(7, 0, 20, orders=orders), dialect, STAMP)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("make", "body"), BODIES, ids=["chat", "responses", "anthropic", "gemini"])
@pytest.mark.parametrize(
    ("text", "kinds", "finish", "shown"),
    [
        ("{content: rain today}", [Said], Finish.STOP, ["rain", "today"]),
        ("{content: ''}", [Said], Finish.STOP, []),
        ("{refusal: not me}", [Refused], Finish.STOP, ["not", "me"]),
        ("{tool_calls: [{name: look, arguments: {to: Rome}}]}", [Called], Finish.TOOLS, ["look"]),
        (
            "{content: wait, tool_calls: [{name: look}, {name: book}]}",
            [Said, Called, Called],
            Finish.TOOLS,
            ["wait", "look", "book"],
        ),
        ("{content: cut, finish_reason: length}", [Said], Finish.LENGTH, ["cut"]),
        ("{content: cut, finish_reason: content_filter}", [Said], Finish.FILTER, []),
        ("{content: cut, reasoning: hm}", [Said], Finish.STOP, ["cut"]),
    ],
)
def test_every_response_in_every_dialect(
    make: Any, body: dict[str, Any], stream: bool, text: str, kinds: Any, finish: Finish, shown: Any
) -> None:
    dialect = make(stream)
    streamed = {} if dialect.name == "gemini" else {"stream": stream}
    made = answered(text, dialect, body | streamed)
    assert made.reply is not None
    (choice,) = made.reply.choices
    assert [type(part) for part in choice.segments] == kinds
    assert choice.finish is finish
    assert made.stream is stream
    said = made.frames.join(0, len(made.frames)).decode()
    for word in shown:
        assert word in said
    if not stream:
        orjson.loads(said)


def test_thoughts_are_counted_as_given() -> None:
    made = answered("{content: a, reasoning: one two three}", OpenAIChat(), CHAT)
    assert made.reply is not None
    assert (made.reply.usage.reasoning, made.reply.usage.completion) == (3, 4)


@pytest.mark.parametrize(
    ("fields", "said", "finish", "stop"),
    [
        ({}, "one two three", Finish.STOP, None),
        ({"max_tokens": 2}, "one two", Finish.LENGTH, None),
        ({"stop": [" three"]}, "one two", Finish.STOP, " three"),
    ],
)
def test_limits_and_stop_sequences_hold(
    fields: dict[str, Any], said: str, finish: Finish, stop: str | None
) -> None:
    made = answered("one two three", OpenAIChat(), CHAT | fields)
    assert made.reply is not None
    (choice,) = made.reply.choices
    (part,) = choice.segments
    assert (part.words.text, choice.finish, choice.stop) == (said, finish, stop)


def test_each_choice_and_its_log_probabilities() -> None:
    made = answered("one two", OpenAIChat(), CHAT | {"n": 2, "logprobs": True, "top_logprobs": 1})
    assert made.reply is not None
    words = [choice.segments[0].words for choice in made.reply.choices]
    assert [(one.text, len(one.logprobs)) for one in words] == [("one two", 2)] * 2


def test_a_call_is_cut_where_the_limit_is() -> None:
    made = answered(
        "{tool_calls: [{name: f, arguments: {a: b c d e f}}]}",
        OpenAIChat(),
        CHAT | {"max_tokens": 7},
    )
    assert made.reply is not None
    assert made.reply.choices[0].finish is Finish.LENGTH
    assert made.reply.usage.completion <= 7


def test_usage_is_told_in_place_of_the_real_one() -> None:
    text = "{content: a, usage: {prompt_tokens: 9, completion_tokens: 8, cached_tokens: 4}}"
    made = answered(text, OpenAIChat(), CHAT)
    assert made.reply is not None
    usage = made.reply.usage
    assert (usage.prompt, usage.completion, usage.cached, usage.total) == (9, 8, 4, 17)


def test_a_response_without_words_bends_the_usual_answer() -> None:
    made = answered("{usage: {prompt_tokens: 9}}", OpenAIChat(), CHAT)
    assert made.reply is not None
    assert (made.reply.usage.prompt, made.reply.usage.completion) == (9, 40)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain", "plain"),
        ("{{ last_user_message }}", 'say "{{ model }}" now'),
        ("{{model}}/{{ endpoint }}/{{ dialect }}", "gpt-4o//v1/x/openai_chat"),
        ("{{ turn }} {{ seed }} {{ count }}", "1 7 3"),
        ("{{ body.messages[0].role }}", "user"),
        ("{{ body.n }}{{ body.none }}", "1"),
        ("{{ headers.X-Who }}{{ headers.x-none }}", "me"),
        ("{{ \"{{\" }} {{ '}}' }}", "{{ }}"),
        ("a { b } {{", "a { b } {{"),
    ],
)
def test_templates(text: str, said: str) -> None:
    assert occasion().fill(text) == said


def test_groups_of_the_first_expression() -> None:
    told = occasion(regexes=(("content", r"(?P<verb>\w+) (x)?"),))
    assert told.fill("{{ match.verb }}|{{ match.1 }}|{{ match.2 }}") == "say|say|"


def test_what_is_put_into_arguments_stays_in_its_string() -> None:
    made = spoken(
        speech("{tool_calls: [{name: f, arguments: {a: ['{{ body.user }}'], n: 1}}]}"), occasion()
    )
    assert orjson.loads(made.calls[0][1]) == {"a": ['a"b'], "n": 1}


def test_filled_texts_are_bounded() -> None:
    body = CHAT | {"user": "x" * 300_000}
    assert len(occasion(body).fill("{{ body.user }}" * 20)) == 1_000_000


@pytest.mark.parametrize(
    ("text", "kind", "status", "retry"),
    [
        ("{error: 429}", Kind.RATE_LIMIT, 429, 1.0),
        ("{error: overloaded}", Kind.OVERLOADED, None, 1.0),
        ("{error: {status: 418}}", Kind.INVALID, 418, None),
        ("{error: {kind: server_error, retry_after_ms: 1500}}", Kind.SERVER_ERROR, None, 1.5),
    ],
)
def test_errors(text: str, kind: Kind, status: int | None, retry: float | None) -> None:
    error = speech(text).error
    assert error is not None
    made = failed(error, occasion())
    assert (made.kind, made.status, made.retry_after, made.injected) == (kind, status, retry, True)


def test_an_error_has_its_own_words() -> None:
    error = speech("{error: {kind: invalid, message: 'no {{ model }}', param: p, code: c}}").error
    assert error is not None
    made = failed(error, occasion())
    assert (made.message, made.param, made.code) == ("no gpt-4o", "p", "c")
