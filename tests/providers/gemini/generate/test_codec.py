"""Gemini's answers on the wire: golden bytes, and what the official SDK reads in them.

The golden files hold what is sent for the completions below, with a fixed stamp: plain, as
events, and as the JSON array that a client gets who does not ask for events.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from google.genai.types import GenerateContentResponse
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import (
    END,
    Choice,
    Completion,
    Finish,
    GeneratedText,
    Logprob,
    Plan,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Segment,
    Stamp,
    TextSegment,
    TokenLogprobs,
    ToolCallSegment,
    Usage,
)
from llmsim.core.errors import Failure, FailureKind, TooLong
from llmsim.engine.compose import ModelSettings
from llmsim.engine.plan import WholeFrame, plan
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.gemini.errors import VERBS
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.gemini.provider import GEMINI
from llmsim.providers.provider import Endpoint
from tests.engine.asking import AWKWARD, drawn, settings

GOLDEN = Path(__file__).parents[2] / "golden"
PLAIN = Gemini("gemini-2.5-flash")
EVENTS = Gemini("gemini-2.5-flash", stream=True)
ARRAY = Gemini("gemini-2.5-flash", stream=True, events=False)
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
ENCODING = tokenizer("o200k_base")


def asked(codec: Gemini = PLAIN, **fields: Any) -> Request:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **fields}
    return codec.decode(orjson.dumps(body))


def words(text: str, frame: int = 0) -> GeneratedText:
    """The text in pieces; ``frame`` tokens that nobody sees come before it."""
    said = ENCODING.text(text, pieces=True)
    ends = [frame + end for end in said.ends]
    return GeneratedText(text, frame + said.tokens, said.pieces, ends)


def with_logprobs(text: str) -> GeneratedText:
    said = words(text)
    entries = tuple(
        TokenLogprobs(Logprob(token, -0.25), (Logprob(token, -0.25), Logprob(b" or", -2.5)))
        for token in ENCODING.encode(text)
    )
    return GeneratedText(said.text, said.tokens, said.pieces, said.ends, entries)


def choice(*segments: Segment, finish: Finish = Finish.STOP) -> Choice:
    return Choice(segments, sum(segment.generated.tokens for segment in segments), finish)


def completed(*choices: Choice, reasoning: int = 0, cached: int = 0) -> Completion:
    shown = [part for one in choices for part in one.segments if isinstance(part, ReasoningSegment)]
    thought = sum(part.generated.tokens for part in shown)
    completion = sum(one.tokens for one in choices) + reasoning
    return Completion(choices, Usage(9, completion, reasoning + thought, cached))


def call(name: str, args: str) -> ToolCallSegment:
    return ToolCallSegment(name, words(args, 5))


PICTURE = {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}]}
PARIS = call("get_weather", '{"city":"Paris"}')
ROME = call("get_time", '{"city":"Rome","hours":[1,2.5]}')
CUT = ToolCallSegment("get_weather", words('{"ci', 5))

CASES: dict[str, tuple[dict[str, Any], Completion]] = {
    "text": ({}, completed(choice(TextSegment(words("Hello, wörld 👩‍👩‍👧!"))))),
    "length": ({}, completed(choice(TextSegment(words("Cut off")), finish=Finish.LENGTH))),
    "filter": ({}, completed(choice(TextSegment(words("No")), finish=Finish.FILTER))),
    "nothing": ({}, completed(choice(TextSegment(words("")), finish=Finish.LENGTH))),
    "cached": ({}, completed(choice(TextSegment(words("Hi there."))), reasoning=64, cached=4)),
    "media": (PICTURE, Completion((choice(TextSegment(words("A picture."))),), Usage(270, 3))),
    "candidates": (
        {},
        completed(
            choice(TextSegment(words("One thing."))), choice(TextSegment(words("Another, longer.")))
        ),
    ),
    "logprobs": ({}, completed(choice(TextSegment(with_logprobs("Yes 👍"))))),
    "refusal": ({}, completed(choice(RefusalSegment(words("I can not help."))))),
    "thought": (
        {},
        completed(choice(ReasoningSegment(words("Let me see")), TextSegment(words("Two.")))),
    ),
    "call": ({}, completed(choice(PARIS, finish=Finish.TOOLS))),
    "calls": (
        {},
        completed(choice(ReasoningSegment(words("Hm")), PARIS, ROME, finish=Finish.TOOLS)),
    ),
    "cut": ({}, completed(choice(ReasoningSegment(words("Hm")), CUT, finish=Finish.LENGTH))),
}
names = pytest.mark.parametrize("name", CASES)
streams = pytest.mark.parametrize("codec", [EVENTS, ARRAY], ids=["events", "array"])


def plain(name: str) -> bytes:
    fields, said = CASES[name]
    return PLAIN.plain(asked(**fields), said, STAMP)


def frames(name: str, codec: Gemini) -> list[bytes]:
    fields, said = CASES[name]
    made = codec.script(asked(codec, **fields), said, STAMP).frames
    return [made[place] for place in range(len(made))]


def chunks(name: str) -> list[Any]:
    """The JSON of every event."""
    streamed = frames(name, EVENTS)
    assert all(one.startswith(b"data: ") and one.endswith(b"\r\n\r\n") for one in streamed)
    return [orjson.loads(one[len(b"data: ") :]) for one in streamed]


def parts(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = candidate["content"].get("parts", [])
    return found


def said(messages: list[Any], index: int, thought: bool = False) -> str:
    return "".join(
        part["text"]
        for message in messages
        for candidate in message["candidates"]
        if candidate["index"] == index
        for part in parts(candidate)
        if "text" in part and part.get("thought", False) is thought
    )


def calls(messages: list[Any]) -> list[Any]:
    every = [
        part for one in messages for candidate in one["candidates"] for part in parts(candidate)
    ]
    return [part["functionCall"] for part in every if "functionCall" in part]


@names
def test_a_plain_answer_is_golden(name: str) -> None:
    assert plain(name) == (GOLDEN / f"gemini_{name}.json").read_bytes().removesuffix(b"\n")


@names
def test_a_stream_of_events_is_golden(name: str) -> None:
    assert b"".join(frames(name, EVENTS)) == (GOLDEN / f"gemini_{name}.sse").read_bytes()


@names
def test_a_streamed_array_is_golden(name: str) -> None:
    assert b"".join(frames(name, ARRAY)) == (GOLDEN / f"gemini_{name}.array").read_bytes()


@names
def test_both_streams_say_the_same(name: str) -> None:
    assert orjson.loads(b"".join(frames(name, ARRAY))) == chunks(name)


def test_the_array_is_framed_as_google_does() -> None:
    streamed = frames("length", ARRAY)
    assert streamed[0].startswith(b'[{"')
    assert all(one.endswith(b"}\n,\r\n") for one in streamed[:-1])
    assert streamed[-1].endswith(b"}\n]")


@names
def test_the_sdk_reads_what_is_sent(name: str) -> None:
    whole = GenerateContentResponse.model_validate_json(plain(name))
    assert whole.response_id == STAMP.mark
    assert whole.model_version == "gemini-2.5-flash"
    for chunk in chunks(name):
        assert GenerateContentResponse.model_validate(chunk).response_id == STAMP.mark


@names
def test_a_stream_says_what_the_plain_answer_says(name: str) -> None:
    whole, streamed = [orjson.loads(plain(name))], chunks(name)
    for index in range(len(CASES[name][1].choices)):
        assert said(streamed, index) == said(whole, index)
        assert said(streamed, index, thought=True) == said(whole, index, thought=True)
    assert calls(streamed) == calls(whole)
    assert streamed[-1]["usageMetadata"] == whole[0]["usageMetadata"]


@names
def test_only_the_last_chunk_has_finish_reasons_and_all_of_the_usage(name: str) -> None:
    *before, last = chunks(name)
    assert all("finishReason" not in one for chunk in before for one in chunk["candidates"])
    assert all(
        set(one["usageMetadata"]) == {"promptTokenCount", "totalTokenCount"} for one in before
    )
    reasons = [one["finishReason"] for one in orjson.loads(plain(name))["candidates"]]
    assert [one["finishReason"] for one in last["candidates"]] == reasons


@names
def test_thoughts_are_outside_the_candidates_tokens(name: str) -> None:
    usage = orjson.loads(plain(name))["usageMetadata"]
    counted = CASES[name][1].usage
    assert usage["candidatesTokenCount"] == counted.completion - counted.reasoning
    assert usage.get("thoughtsTokenCount", 0) == counted.reasoning
    assert usage["totalTokenCount"] == counted.total
    assert usage.get("cachedContentTokenCount", 0) == counted.cached
    assert sum(one["tokenCount"] for one in usage["promptTokensDetails"]) == counted.prompt


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text", "STOP"),
        ("length", "MAX_TOKENS"),
        ("filter", "SAFETY"),
        ("call", "STOP"),
        ("cut", "MAX_TOKENS"),
    ],
)
def test_finish_reasons(name: str, reason: str) -> None:
    assert orjson.loads(plain(name))["candidates"][0]["finishReason"] == reason


def test_function_calls_are_whole_and_each_has_an_id() -> None:
    streamed = calls(chunks("calls"))
    assert [one["name"] for one in streamed] == ["get_weather", "get_time"]
    assert [one["args"] for one in streamed] == [
        {"city": "Paris"},
        {"city": "Rome", "hours": [1, 2.5]},
    ]
    assert len({one["id"] for one in streamed}) == 2


def test_a_call_that_was_cut_short_is_not_sent() -> None:
    assert calls(chunks("cut")) == calls([orjson.loads(plain("cut"))]) == []


@pytest.mark.parametrize(
    ("name", "signed"), [("thought", "text"), ("calls", "functionCall"), ("text", None)]
)
def test_what_follows_thoughts_is_signed_once(name: str, signed: str | None) -> None:
    for messages in ([orjson.loads(plain(name))], chunks(name)):
        every = [part for one in messages for part in parts(one["candidates"][0])]
        found = [part for part in every if "thoughtSignature" in part]
        assert [signed in part for part in found] == ([True] if signed else [])


def test_logprobs_are_of_every_token() -> None:
    (whole,) = orjson.loads(plain("logprobs"))["candidates"]
    chosen = whole["logprobsResult"]["chosenCandidates"]
    streamed = [
        one["candidates"][0]["logprobsResult"]["chosenCandidates"] for one in chunks("logprobs")
    ]
    assert [entry for one in streamed for entry in one] == chosen
    assert len(chosen) == ENCODING.count("Yes 👍")
    assert whole["avgLogprobs"] == pytest.approx(-0.25)
    assert [len(one["candidates"]) for one in whole["logprobsResult"]["topCandidates"]] == [
        2
    ] * len(chosen)


@streams
@names
def test_frames_follow_the_clock_of_their_candidate(name: str, codec: Gemini) -> None:
    fields, streamed = CASES[name]
    script = codec.script(asked(codec, **fields), streamed, STAMP)
    beats = script.beats
    assert len(beats) == len(script.frames)
    assert beats[-1] == END
    assert all(0 <= beat < sum(one.beats for one in streamed.choices) for beat in beats[:-1])
    assert all(one <= other for one, other in pairwise(beats[:-1]))


def test_a_call_waits_for_all_of_its_tokens() -> None:
    script = EVENTS.script(asked(EVENTS), CASES["calls"][1], STAMP)
    thought, first, _ = CASES["calls"][1].choices[0].segments
    assert script.beats[:].tolist() == [
        0,
        thought.generated.tokens + first.generated.tokens - 1,
        END,
    ]


@given(st.text(max_size=60), st.booleans())
def test_any_text_survives(text: str, thinks: bool) -> None:
    segments: list[Segment] = [ReasoningSegment(words("hm"))] if thinks else []
    made = completed(choice(*segments, TextSegment(words(text))))
    whole = [orjson.loads(PLAIN.plain(asked(), made, STAMP))]
    streamed = EVENTS.script(asked(EVENTS), made, STAMP).frames
    joined = streamed.join(0, len(streamed)).decode().split("\r\n\r\n")
    streamed_ = [orjson.loads(one.removeprefix("data: ")) for one in joined if one]
    assert said(whole, 0) == said(streamed_, 0) == text
    assert whole[0]["usageMetadata"] == streamed_[-1]["usageMetadata"]


@given(
    st.text(min_size=1, max_size=80) | st.sampled_from(AWKWARD[1:]),
    st.integers(1, 60),
    st.integers(1, 3),
    st.booleans(),
)
def test_an_echo_is_the_same_streamed_and_counted_exactly(
    text: str, limit: int, count: int, thinks: bool
) -> None:
    config = {
        "maxOutputTokens": limit,
        "candidateCount": count,
        "thinkingConfig": {"includeThoughts": thinks},
    }
    fields = {"contents": text, "generationConfig": config}
    model_settings = settings("gemini-2.0-flash", "echo")
    (whole,) = answers(PLAIN, asked(PLAIN, **fields), model_settings)
    streamed = answers(EVENTS, asked(EVENTS, **fields), model_settings)
    assert streamed[-1]["usageMetadata"] == whole["usageMetadata"]
    counted = 0
    for index in range(count):
        assert said(streamed, index) == said([whole], index)
        assert said(streamed, index, True) == said([whole], index, True)
        counted += ENCODING.count(said(streamed, index))
    assert whole["usageMetadata"]["candidatesTokenCount"] == counted


def answers(codec: Gemini, request: Request, model_settings: ModelSettings) -> list[Any]:
    """The JSON of all that is sent."""
    made = plan(request, model_settings, drawn(request, model_settings), codec, STAMP).frames
    streamed = made.join(0, len(made)).decode().split("\r\n\r\n")
    return [orjson.loads(one.removeprefix("data: ")) for one in streamed if one]


def endpoint(verb: str, query: str = "", version: str = "v1beta") -> Endpoint:
    assert GEMINI.pattern is not None
    return GEMINI.pattern.endpoint(f"/{version}/models/x:{verb}", query)


ONE = endpoint("generateContent")
AS_EVENTS = endpoint("streamGenerateContent", "alt=sse")
AS_ARRAY = endpoint("streamGenerateContent")


@pytest.mark.parametrize(
    ("called", "stream", "kind"),
    [
        (ONE, False, "application/json; charset=UTF-8"),
        (AS_EVENTS, True, "text/event-stream"),
        (AS_EVENTS, False, "application/json; charset=UTF-8"),
        (AS_ARRAY, True, "application/json; charset=UTF-8"),
    ],
)
def test_the_content_type(called: Endpoint, stream: bool, kind: str) -> None:
    answered = Plan(200, WholeFrame(b""), np.zeros(1), stream, 0.0, 0.0, 1)
    assert dict(called.headers(answered, STAMP))["content-type"] == kind


def test_the_head_of_one_answer_is_not_that_of_the_next() -> None:
    answered = Plan(200, WholeFrame(b""), np.zeros(1), False, 0.0, 0.0, 1)
    ONE.headers(answered, STAMP).append(("x-mine", "1"))
    assert "x-mine" not in dict(ONE.headers(answered, STAMP))


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_of_a_streamed_array_is_an_array(kind: FailureKind) -> None:
    failure = Failure(kind, "no")
    status, body = AS_ARRAY.errors.failure(failure, STAMP)
    assert AS_EVENTS.errors.failure(failure, STAMP) == ONE.errors.failure(failure, STAMP)
    assert orjson.loads(body) == [orjson.loads(ONE.errors.failure(failure, STAMP)[1])]
    assert status == ONE.errors.failure(failure, STAMP)[0]


@pytest.mark.parametrize(
    ("called", "failure", "message"),
    [
        (
            endpoint("generateContent", version="v1"),
            Failure(FailureKind.MODEL_NOT_FOUND, "none", model="x"),
            "models/x is not found for API version v1, or is not supported for generateContent. "
            "Call ListModels to see the list of available models and their supported methods.",
        ),
        (
            AS_EVENTS,
            Failure(FailureKind.MODEL_NOT_FOUND, "none", model="tunedModels/x"),
            "tunedModels/x is not found for API version v1beta, or is not supported for "
            "streamGenerateContent. Call ListModels to see the list of available models and their "
            "supported methods.",
        ),
        (
            ONE,
            Failure(FailureKind.CONTEXT_LENGTH, "long", too_long=TooLong(10, 12, 0)),
            "The input token count (12) exceeds the maximum number of tokens allowed (10).",
        ),
        *(
            (
                endpoint(verb),
                Failure(FailureKind.MODEL_NOT_FOUND, "none", model="x"),
                "models/x is not found for API version v1beta, or is not supported for "
                f"{verb}. Call ListModels to see the list of available models and their "
                "supported methods.",
            )
            for verb in VERBS
            if verb != "streamGenerateContent"
        ),
    ],
)
def test_failures_in_googles_words(called: Endpoint, failure: Failure, message: str) -> None:
    assert orjson.loads(called.errors.failure(failure, STAMP)[1])["error"]["message"] == message


def test_without_a_path_the_body_names_the_model() -> None:
    request = Gemini().decode(b'{"model":"models/gemini-2.5-pro","contents":"hi"}')
    assert (request.model, request.stream) == ("gemini-2.5-pro", False)
    request = Gemini().decode(b'{"model":"gemini-2.5-pro","contents":"hi","stream":true}')
    assert (request.model, request.stream) == ("gemini-2.5-pro", True)


def test_with_a_path_the_body_has_no_say() -> None:
    request = PLAIN.decode(b'{"model":"other","contents":"hi","stream":true}')
    assert (request.model, request.stream) == ("gemini-2.5-flash", False)
