"""OpenAI responses on the wire: golden bytes, and what the official SDK makes of them.

The golden files hold what is sent for the completions below, with a fixed stamp.
"""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai._models import construct_type_unchecked, validate_type
from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent

from llmsim.config import Config
from llmsim.config import Response as ResponseConfig
from llmsim.core import (
    START,
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
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.generator import GeneratorChoice
from llmsim.engine.compose import PlanInputs
from llmsim.engine.plan import WholeFrame, plan
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.openai.responses.codec import TOO_LONG, OpenAIResponses
from llmsim.providers.registry import by_codec
from llmsim.providers.wire import sse
from llmsim.runtime.model_settings import ModelRegistry
from tests.effort import examples

GOLDEN = Path(__file__).parents[2] / "golden"
RESPONSES = OpenAIResponses()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
ID = "resp_0f1e68" + STAMP.mark
ENCODING = tokenizer("o200k_base")


def asked(**fields: Any) -> Request:
    return RESPONSES.decode(orjson.dumps({"model": "gpt-4o", "input": "hi", **fields}))


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


def completed(*segments: Segment, finish: Finish = Finish.STOP, reasoning: int = 0) -> Completion:
    tokens = sum(segment.generated.tokens for segment in segments)
    shown = sum(one.generated.tokens for one in segments if isinstance(one, ReasoningSegment))
    completion = tokens - shown + max(reasoning, shown)
    usage = Usage(9, completion, max(reasoning, shown), cached=4, cache_written=2)
    return Completion((Choice(segments, tokens, finish),), usage)


TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}
CUSTOM = {"type": "custom", "name": "shell", "description": "Runs commands"}
SEARCH = {"type": "web_search", "search_context_size": "low"}
THINKING = {"model": "gpt-5", "reasoning": {"effort": "low", "summary": "auto"}}

CASES: dict[str, tuple[dict[str, Any], Completion]] = {
    "text": ({}, completed(TextSegment(words("Hello, wörld 👩‍👩‍👧!")))),
    "length": (
        {"max_output_tokens": 16},
        completed(TextSegment(words("Cut off")), finish=Finish.LENGTH),
    ),
    "filter": ({}, completed(TextSegment(words("No")), finish=Finish.FILTER)),
    "nothing": ({}, completed(TextSegment(words("")), finish=Finish.LENGTH)),
    "bare": (
        {
            "stream_options": {"include_obfuscation": False},
            "service_tier": "fast",
            "instructions": 'Be "brief"\n',
            "metadata": {"a": "b"},
            "temperature": 0.2,
            "user": "u",
            "truncation": "auto",
            "conversation": {"id": "conv_1"},
            "prompt": {"id": "pmpt_1"},
        },
        completed(TextSegment(words('"quoted" \\ \n\u2028'))),
    ),
    "logprobs": (
        {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
        completed(TextSegment(with_logprobs("Yes 👍"))),
    ),
    "refusal": ({}, completed(RefusalSegment(words("I can not help.")))),
    "reasoning": ({"model": "gpt-5"}, completed(TextSegment(words("Two.")), reasoning=64)),
    "encrypted": (
        {"model": "gpt-5", "include": ["reasoning.encrypted_content"], "store": False},
        completed(TextSegment(words("Two.")), reasoning=64),
    ),
    "summary": (
        THINKING,
        completed(ReasoningSegment(words("Let me see")), TextSegment(words("Two."))),
    ),
    "function": (
        {"tools": [TOOL, SEARCH], "tool_choice": {"type": "function", "name": "get_weather"}},
        completed(
            ToolCallSegment("get_weather", words('{"city":"Paris"}', 5)), finish=Finish.TOOLS
        ),
    ),
    "functions": (
        {"tools": [TOOL, CUSTOM], "parallel_tool_calls": True, "tool_choice": "required"},
        completed(
            ToolCallSegment("get_weather", words("{}", 5)),
            ToolCallSegment("get_weather", words('{"city":"Rome"}', 5)),
            finish=Finish.TOOLS,
        ),
    ),
    "custom": (
        {"tools": [CUSTOM]},
        completed(ToolCallSegment("shell", words("ls -l", 4), custom=True), finish=Finish.TOOLS),
    ),
    "everything": (
        THINKING | {"tools": [TOOL, CUSTOM]},
        completed(
            ReasoningSegment(words("Hm")),
            ToolCallSegment("get_weather", words("{}", 5)),
            ToolCallSegment("shell", words("", 4), custom=True),
            finish=Finish.TOOLS,
        ),
    ),
    "cut_call": (
        {"tools": [TOOL]},
        completed(ToolCallSegment("get_weather", words('{"ci', 5)), finish=Finish.LENGTH),
    ),
    "schema": (
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "answer",
                    "strict": True,
                    "schema": {"type": "object"},
                },
                "verbosity": "low",
            }
        },
        completed(TextSegment(words('{"a":1}'))),
    ),
    "background": ({"background": True}, completed(TextSegment(words("Later.")))),
    "prepared": (
        {"generate": False},
        completed(TextSegment(GeneratedText("", 0)), finish=Finish.LENGTH),
    ),
}
names = pytest.mark.parametrize("name", CASES)


def plain(name: str) -> bytes:
    fields, said = CASES[name]
    return RESPONSES.plain(asked(**fields), said, STAMP)


def streamed(name: str) -> list[bytes]:
    fields, said = CASES[name]
    frames = RESPONSES.script(asked(stream=True, **fields), said, STAMP).frames
    return [frames[place] for place in range(len(frames))]


def events(name: str) -> list[Any]:
    """The data of every event."""
    made = []
    for frame in streamed(name):
        head, data, end = frame.decode().split("\n", 2)
        assert end == "\n"
        made.append(orjson.loads(data.removeprefix("data: ")))
        assert head == f"event: {made[-1]['type']}"
    return made


@names
def test_a_plain_answer_is_golden(name: str) -> None:
    golden = (GOLDEN / f"openai_responses_{name}.json").read_bytes()
    assert plain(name) == golden.removesuffix(b"\n")


@names
def test_a_stream_is_golden(name: str) -> None:
    assert b"".join(streamed(name)) == (GOLDEN / f"openai_responses_{name}.sse").read_bytes()


@names
def test_the_sdk_reads_a_plain_answer(name: str) -> None:
    read = validate_type(type_=Response, value=orjson.loads(plain(name)))
    fields, said = CASES[name]
    assert (read.id, read.object, read.created_at) == (ID, "response", STAMP.created)
    assert read.model == fields.get("model", "gpt-4o")
    assert read.usage is not None
    assert read.usage.input_tokens == said.usage.prompt
    assert read.usage.output_tokens == said.usage.completion
    assert read.usage.total_tokens == said.usage.total
    assert read.usage.output_tokens_details.reasoning_tokens == said.usage.reasoning
    details = read.usage.input_tokens_details
    assert (details.cached_tokens, details.cache_write_tokens) == (4, 2)


@names
def test_the_sdk_reads_every_event(name: str) -> None:
    for event in events(name):
        read = validate_type(type_=ResponseStreamEvent, value=event)  # type: ignore[arg-type]
        assert read.type == event["type"]


@names
def test_the_sdk_puts_a_stream_together_to_the_plain_answer(name: str) -> None:
    state = ResponseStreamState(input_tools=omit, text_format=omit)
    last = None
    for event in events(name):
        read = construct_type_unchecked(type_=ResponseStreamEvent, value=event)  # type: ignore[arg-type]
        (last, *_) = state.handle_event(read)[-1:]
    whole = validate_type(type_=Response, value=orjson.loads(plain(name)))
    assert last is not None
    assert unparsed(last.response.to_dict()) == whole.to_dict()


def unparsed(value: Any) -> Any:
    """What the SDK put together, without what it adds of its own."""
    if isinstance(value, list):
        return [unparsed(one) for one in value]
    if isinstance(value, dict):
        return {
            key: unparsed(one)
            for key, one in value.items()
            if key not in ("parsed", "parsed_arguments")
        }
    return value


@names
def test_numbers_have_no_gap(name: str) -> None:
    assert [one["sequence_number"] for one in events(name)] == list(range(len(events(name))))


@names
def test_done_events_have_the_text_of_their_deltas(name: str) -> None:
    """Deltas, joined, are the text of every event that says it is done."""
    said: dict[tuple[str, int], str] = {}
    for event in events(name):
        kind, _, step = event["type"].rpartition(".")
        place = kind, event.get("output_index", 0)
        if step == "delta":
            said[place] = said.get(place, "") + event["delta"]
        elif step == "done" and (final_text := _text(event)) is not None:
            assert said.pop(place, "") == final_text
    assert not said, "every text is done"


def _text(event: dict[str, Any]) -> str | None:
    for member in ("text", "refusal", "arguments", "input"):
        if member in event:
            return str(event[member])
    return None


@names
def test_the_items_are_those_of_the_plain_answer(name: str) -> None:
    sent = events(name)
    added = [one for one in sent if one["type"] == "response.output_item.added"]
    done = [one for one in sent if one["type"] == "response.output_item.done"]
    whole = orjson.loads(plain(name))
    assert [one["item"] for one in done] == whole["output"] == sent[-1]["response"]["output"]
    assert [one["output_index"] for one in added] == list(range(len(done)))
    assert [one["output_index"] for one in done] == list(range(len(done)))
    assert [one["item"]["id"] for one in added] == [one["item"]["id"] for one in done]
    assert all(one["item"].get("status", "in_progress") == "in_progress" for one in added)


@names
def test_a_response_has_no_output_until_it_ends(name: str) -> None:
    sent = events(name)
    lifecycle = [one for one in sent if "response" in one]
    begun = ["response.created", "response.in_progress"]
    if CASES[name][0].get("background"):
        begun.insert(1, "response.queued")
    assert [one["type"] for one in sent[: len(begun)]] == begun
    assert [one["type"] for one in lifecycle] == [*begun, sent[-1]["type"]]
    for one in lifecycle[:-1]:
        state = one["response"]
        assert (state["output"], state["usage"], state["completed_at"]) == ([], None, None)
    assert lifecycle[-1]["response"] == orjson.loads(plain(name))


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("text", "completed", None),
        ("function", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("nothing", "incomplete", "max_output_tokens"),
        ("cut_call", "incomplete", "max_output_tokens"),
        ("filter", "incomplete", "content_filter"),
        ("prepared", "completed", None),
    ],
)
def test_how_a_response_ends(name: str, status: str, reason: str | None) -> None:
    sent = events(name)
    assert sent[-1]["type"] == f"response.{status}"
    whole = sent[-1]["response"]
    assert whole["status"] == status
    assert whole["incomplete_details"] == (reason and {"reason": reason})
    assert (whole["completed_at"] is None) == (status == "incomplete")
    assert {item["status"] for item in whole["output"]} <= {status}


@names
def test_every_frame_waits_for_a_token_that_comes(name: str) -> None:
    fields, said = CASES[name]
    script = RESPONSES.script(asked(stream=True, **fields), said, STAMP)
    beats = script.beats[:].tolist()
    (choice,) = said.choices
    at_once = 2
    assert len(beats) == len(script.frames)
    assert beats[:at_once] == [START] * at_once
    waiting = beats[at_once:]
    assert waiting == sorted(waiting)
    assert (waiting[0], waiting[-1]) == (0, choice.beats - 1)
    deltas = [
        beat
        for beat, event in zip(beats, events(name), strict=True)
        if event["type"].endswith(".delta")
    ]
    offset, expected = 0, []
    for segment in choice.segments:
        expected += [offset + end for end in segment.generated.ends]
        offset += segment.generated.tokens
    assert deltas == expected


@settings(max_examples=examples(60))
@given(
    seed=st.integers(0, 2**48),
    model=st.sampled_from(["gpt-4o", "gpt-5", "o3", "nobody-knows-it"]),
    limit=st.none() | st.integers(1, 90),
    text=st.sampled_from(["", "plain", "a family 👩‍👩‍👧‍👦 ꙮ𓀀", '"quoted" \\ \u2028'])
    | st.text(max_size=40),
    fields=st.sampled_from(
        [
            {},
            {"reasoning": {"effort": "low", "summary": "auto"}},
            {"tools": [TOOL, CUSTOM], "tool_choice": "required"},
            {"text": {"format": {"type": "json_object"}}},
            {"include": ["message.output_text.logprobs"], "top_logprobs": 1},
            {"background": True},
        ]
    ),
)
def test_a_stream_says_what_the_plain_answer_does(
    seed: int, model: str, limit: int | None, text: str, fields: dict[str, Any]
) -> None:
    """Whatever the engine says: deltas joined, the last event, and the usage."""
    request = {"model": model, "max_output_tokens": limit, **fields}
    rules = ModelRegistry(
        Config(response=ResponseConfig(GeneratorChoice("fixed", (text,))))
    ).settings(model)
    whole, stream = (
        plan(asked(stream=wanted, **request), rules, PlanInputs(seed, 0, 9), RESPONSES, STAMP)
        for wanted in (False, True)
    )
    answer = orjson.loads(whole.frames[0])
    chunk = stream.frames.join(0, len(stream.frames))
    sent = [orjson.loads(message) for message in sse.messages(chunk)]
    assert sent[-1]["response"] == answer
    assert len(sent) == len(stream.due) == sent[-1]["sequence_number"] + 1
    assert (np.diff(stream.due[:]) >= 0).all()
    said = [event["delta"] for event in sent if event["type"] == "response.output_text.delta"]
    texts = [
        part["text"]
        for item in answer["output"]
        if item["type"] == "message"
        for part in item["content"]
    ]
    assert "".join(said) == "".join(texts)
    if not fields.get("tools"):
        counted = sum(len(ENCODING.encode(one)) for one in texts)
        thought = answer["usage"]["output_tokens_details"]["reasoning_tokens"]
        assert answer["usage"]["output_tokens"] == counted + thought


def test_obfuscation_hides_the_length_of_a_piece() -> None:
    padded = [event for event in events("text") if "obfuscation" in event]
    assert [event["type"] for event in events("text") if event["type"].endswith("delta")] == [
        event["type"] for event in padded
    ]
    assert len({len(event["obfuscation"]) + len(event["delta"]) for event in padded}) == 1
    assert not any("obfuscation" in event for event in events("bare"))


def test_a_response_in_the_background_is_queued_at_first() -> None:
    decoded = asked(background=True)
    read = validate_type(type_=Response, value=orjson.loads(RESPONSES.queued(decoded, STAMP)))
    assert (read.id, read.status, read.background) == (ID, "queued", True)
    assert (read.output, read.usage) == ([], None)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Failure(FailureKind.SERVER_ERROR, "Broke."), "server_error"),
        (Failure(FailureKind.OVERLOADED, "Broke."), "server_error"),
        (Failure(FailureKind.RATE_LIMIT, "Broke."), "rate_limit_exceeded"),
        (Failure(FailureKind.INVALID, "Broke.", code="invalid_prompt"), "invalid_prompt"),
    ],
)
def test_a_response_that_breaks_off(failure: Failure, code: str) -> None:
    decoded = asked(stream=True)
    completion = CASES["text"][1]
    frames = RESPONSES.script(decoded, completion, STAMP).frames
    chunk = frames.join(0, 6) + RESPONSES.error_event(decoded, completion, failure, STAMP, 6)
    sent = [orjson.loads(one.split(b"data: ")[1]) for one in chunk.split(b"\n\n")[:-1]]
    assert [one["sequence_number"] for one in sent] == list(range(7))
    read = validate_type(type_=ResponseStreamEvent, value=sent[-1])  # type: ignore[arg-type]
    assert read.type == "response.failed"
    assert (read.response.id, read.response.status, read.response.usage) == (ID, "failed", None)
    assert read.response.error is not None
    assert (read.response.error.code, read.response.error.message) == (code, "Broke.")


def test_over_a_socket_everything_is_streamed_and_kept() -> None:
    live = OpenAIResponses(live=True)
    body = {"model": "gpt-4o", "input": "hi", "stream": False, "store": False, "background": True}
    decoded = live.decode(orjson.dumps(body))
    assert (decoded.stream, decoded.store) == (True, True)
    sent = orjson.loads(live.plain(decoded, CASES["text"][1], STAMP))
    assert (sent["store"], sent["background"]) == (False, False)


@pytest.mark.parametrize(
    ("stream", "kind"), [(False, "application/json"), (True, "text/event-stream; charset=utf-8")]
)
def test_the_head_tells_the_content_type(stream: bool, kind: str) -> None:
    plan = Plan(200, WholeFrame(b""), np.zeros(1), stream, 0.0, 0.0, 1)
    sent = dict(by_codec()["openai_responses"].headers(plan, STAMP))
    assert sent["content-type"] == kind
    assert ("cache-control" in sent) == stream
    assert sent["x-request-id"].endswith(STAMP.mark)


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [
        (
            Failure(FailureKind.CONTEXT_LENGTH, "chat's", "messages"),
            400,
            {"message": TOO_LONG, "param": "input", "code": "context_length_exceeded"},
        ),
        (
            Failure(FailureKind.INVALID, "Bad schema", "response_format", "invalid_json_schema"),
            400,
            {"message": "Bad schema", "param": "text.format.schema", "code": "invalid_json_schema"},
        ),
        (
            Failure(FailureKind.RATE_LIMIT, "slow"),
            429,
            {"message": "slow", "param": None, "code": "rate_limit_exceeded"},
        ),
    ],
)
def test_a_failure_is_openais(failure: Failure, status: int, error: dict[str, Any]) -> None:
    final_text, body = by_codec()["openai_responses"].errors.failure(failure, STAMP)
    assert final_text == status
    assert orjson.loads(body)["error"].items() >= error.items()
