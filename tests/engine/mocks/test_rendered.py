"""What a response becomes, in every format, plain and streamed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from llmsim.config import document
from llmsim.config.nodes import Faults
from llmsim.config.reader import read
from llmsim.config.schema.responses import MockResponseSection
from llmsim.core import Codec, Finish, Plan, RefusalSegment, TextSegment, ToolCallSegment
from llmsim.core.errors import FailureKind
from llmsim.core.mocks.response import MockResponse
from llmsim.engine.compose import PlanInputs
from llmsim.engine.mocks.rendering import Occasion, mock_failure, rendered
from llmsim.engine.mocks.view import View
from llmsim.engine.overrides import ResponseOverrides
from llmsim.engine.plan import plan
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.responses.codec import OpenAIResponses
from tests.engine.asking import STAMP, settings

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


def speech(text: str) -> MockResponse:
    found = Faults()
    node = document.parsed(text, "speech", found)
    found.settle()
    response: MockResponse = read(node, MockResponseSection)
    return response


def occasion(body: dict[str, Any] = CHAT, regexes: Any = ()) -> Occasion:
    raw = orjson.dumps(body)
    request = OpenAIChat().decode(raw)
    header = {"x-who": "me"}.get
    return Occasion(View(request, "/v1/x", "openai_chat", raw, header, {}), 7, 3, regexes)


def answered(text: str, codec: Codec, body: dict[str, Any]) -> Plan:
    request = codec.decode(orjson.dumps(body))
    overrides = ResponseOverrides(mock=rendered(speech(text), occasion()))
    return plan(
        request, settings(request.model), PlanInputs(7, 0, 20, overrides=overrides), codec, STAMP
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("make", "body"), BODIES, ids=["chat", "responses", "anthropic", "gemini"])
@pytest.mark.parametrize(
    ("text", "kinds", "finish", "shown"),
    [
        ("{content: rain today}", [TextSegment], Finish.STOP, ["rain", "today"]),
        ("{content: ''}", [TextSegment], Finish.STOP, []),
        ("{refusal: not me}", [RefusalSegment], Finish.STOP, ["not", "me"]),
        (
            "{tool_calls: [{name: look, arguments: {to: Rome}}]}",
            [ToolCallSegment],
            Finish.TOOLS,
            ["look"],
        ),
        (
            "{content: wait, tool_calls: [{name: look}, {name: book}]}",
            [TextSegment, ToolCallSegment, ToolCallSegment],
            Finish.TOOLS,
            ["wait", "look", "book"],
        ),
        ("{content: cut, finish_reason: length}", [TextSegment], Finish.LENGTH, ["cut"]),
        ("{content: cut, finish_reason: content_filter}", [TextSegment], Finish.FILTER, []),
        ("{content: cut, reasoning: hm}", [TextSegment], Finish.STOP, ["cut"]),
    ],
)
def test_every_response_in_every_format(
    make: Any, body: dict[str, Any], stream: bool, text: str, kinds: Any, finish: Finish, shown: Any
) -> None:
    codec = make(stream)
    streamed = {} if codec.name == "gemini" else {"stream": stream}
    made = answered(text, codec, body | streamed)
    assert made.completion is not None
    (choice,) = made.completion.choices
    assert [type(part) for part in choice.segments] == kinds
    assert choice.finish is finish
    assert made.stream is stream
    said = made.frames.join(0, len(made.frames)).decode()
    for word in shown:
        assert word in said
    if not stream:
        orjson.loads(said)


def test_reasoning_is_counted_as_configured() -> None:
    made = answered("{content: a, reasoning: one two three}", OpenAIChat(), CHAT)
    assert made.completion is not None
    assert (made.completion.usage.reasoning, made.completion.usage.completion) == (3, 4)


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
    assert made.completion is not None
    (choice,) = made.completion.choices
    (part,) = choice.segments
    assert (part.generated.text, choice.finish, choice.stop) == (said, finish, stop)


def test_each_choice_and_its_log_probabilities() -> None:
    made = answered("one two", OpenAIChat(), CHAT | {"n": 2, "logprobs": True, "top_logprobs": 1})
    assert made.completion is not None
    words = [choice.segments[0].generated for choice in made.completion.choices]
    assert [(one.text, len(one.logprobs)) for one in words] == [("one two", 2)] * 2


def test_a_call_is_cut_where_the_limit_is() -> None:
    made = answered(
        "{tool_calls: [{name: f, arguments: {a: b c d e f}}]}",
        OpenAIChat(),
        CHAT | {"max_tokens": 7},
    )
    assert made.completion is not None
    assert made.completion.choices[0].finish is Finish.LENGTH
    assert made.completion.usage.completion <= 7


def test_usage_is_reported_in_place_of_the_real_one() -> None:
    text = "{content: a, usage: {prompt_tokens: 9, completion_tokens: 8, cached_tokens: 4}}"
    made = answered(text, OpenAIChat(), CHAT)
    assert made.completion is not None
    usage = made.completion.usage
    assert (usage.prompt, usage.completion, usage.cached, usage.total) == (9, 8, 4, 17)


def test_a_response_without_words_bends_the_usual_answer() -> None:
    made = answered("{usage: {prompt_tokens: 9}}", OpenAIChat(), CHAT)
    assert made.completion is not None
    assert (made.completion.usage.prompt, made.completion.usage.completion) == (9, 40)


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
    matched = occasion(regexes=(("content", r"(?P<verb>\w+) (x)?"),))
    assert matched.fill("{{ match.verb }}|{{ match.1 }}|{{ match.2 }}") == "say|say|"


def test_what_is_put_into_arguments_stays_in_its_string() -> None:
    made = rendered(
        speech("{tool_calls: [{name: f, arguments: {a: ['{{ body.user }}'], n: 1}}]}"), occasion()
    )
    assert orjson.loads(made.calls[0][1]) == {"a": ['a"b'], "n": 1}


def test_filled_texts_are_bounded() -> None:
    body = CHAT | {"user": "x" * 300_000}
    assert len(occasion(body).fill("{{ body.user }}" * 20)) == 1_000_000


@pytest.mark.parametrize(
    ("text", "kind", "status", "retry"),
    [
        ("{error: 429}", FailureKind.RATE_LIMIT, 429, 1.0),
        ("{error: overloaded}", FailureKind.OVERLOADED, None, 1.0),
        ("{error: {status: 418}}", FailureKind.INVALID, 418, None),
        (
            "{error: {kind: server_error, retry_after_ms: 1500}}",
            FailureKind.SERVER_ERROR,
            None,
            1.5,
        ),
    ],
)
def test_errors(text: str, kind: FailureKind, status: int | None, retry: float | None) -> None:
    error = speech(text).error
    assert error is not None
    made = mock_failure(error, occasion())
    assert (made.kind, made.status, made.retry_after, made.injected) == (kind, status, retry, True)


def test_an_error_has_its_own_words() -> None:
    error = speech("{error: {kind: invalid, message: 'no {{ model }}', param: p, code: c}}").error
    assert error is not None
    made = mock_failure(error, occasion())
    assert (made.message, made.param, made.code) == ("no gpt-4o", "p", "c")
