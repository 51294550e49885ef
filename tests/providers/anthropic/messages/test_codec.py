"""Anthropic's answers on the wire: golden bytes, and what the official SDK reads in them.

The golden files hold what is sent for the completions below, with a fixed stamp.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from anthropic._models import validate_type
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import (
    END,
    START,
    Choice,
    Completion,
    Finish,
    GeneratedText,
    Plan,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Segment,
    Stamp,
    TextSegment,
    TokenCount,
    ToolCallSegment,
    Usage,
)
from llmsim.engine.plan import WholeFrame
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicBatch, AnthropicCount
from llmsim.providers.registry import by_codec

GOLDEN = Path(__file__).parents[2] / "golden"
CODEC = Anthropic()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
ENCODING = tokenizer("o200k_base")


def asked(codec: Anthropic = CODEC, **fields: Any) -> Request:
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "hi"}],
        **fields,
    }
    return codec.decode(orjson.dumps(body))


def words(text: str, frame: int = 0) -> GeneratedText:
    """The text in pieces; ``frame`` tokens that nobody sees come before it."""
    said = ENCODING.text(text, pieces=True)
    return GeneratedText(text, frame + said.tokens, said.pieces, [frame + end for end in said.ends])


def completed(
    *segments: Segment,
    finish: Finish = Finish.STOP,
    stop: str | None = None,
    unseen: int = 0,
    **usage: int,
) -> Completion:
    """``unseen`` are thinking tokens of which nothing is shown."""
    shown = sum(segment.generated.tokens for segment in segments)
    thought = sum(part.generated.tokens for part in segments if isinstance(part, ReasoningSegment))
    counted = Usage(2000, shown + unseen, thought + unseen, **usage)
    return Completion((Choice(segments, shown, finish, stop),), counted)


def call(name: str, args: str) -> ToolCallSegment:
    return ToolCallSegment(name, words(args, 5))


PARIS = call("get_weather", '{"city":"Paris"}')
ROME = call("get_time", '{"city":"Rome","hours":[1,2.5]}')
NOTHING = call("now", "{}")
CUT = call("get_weather", '{"city":"Paris","days":[1,2,{"a')

CASES: dict[str, Completion] = {
    "text": completed(TextSegment(words("Hello, wörld 👩‍👩‍👧!"))),
    "length": completed(TextSegment(words("Cut off")), finish=Finish.LENGTH),
    "stopped": completed(TextSegment(words("One, two")), stop="three"),
    "filter": completed(TextSegment(words("No")), finish=Finish.FILTER),
    "refusal": completed(RefusalSegment(words("I can not help."))),
    "nothing": completed(TextSegment(words("")), finish=Finish.LENGTH),
    "thought": completed(ReasoningSegment(words("Let me see")), TextSegment(words("Two."))),
    "unseen": completed(TextSegment(words("Two.")), unseen=64),
    "call": completed(PARIS, finish=Finish.TOOLS),
    "calls": completed(ReasoningSegment(words("Hm")), PARIS, ROME, NOTHING, finish=Finish.TOOLS),
    "cut": completed(CUT, finish=Finish.LENGTH),
    "cached": completed(TextSegment(words("Hi.")), cached=1200),
    "written": completed(
        TextSegment(words("Hi.")), cached=1024, cache_written=500, cache_written_hour=200
    ),
}
names = pytest.mark.parametrize("name", CASES)


def plain(name: str) -> bytes:
    return CODEC.plain(asked(), CASES[name], STAMP)


def message(name: str) -> dict[str, Any]:
    shown: dict[str, Any] = orjson.loads(plain(name))
    return shown


def frames(said: Completion) -> list[bytes]:
    made = CODEC.script(asked(stream=True), said, STAMP).frames
    return [made[place] for place in range(len(made))]


def events(said: Completion) -> list[dict[str, Any]]:
    """The JSON of every event, each of which has its own name."""
    shown = []
    for frame in frames(said):
        head, data, *rest = frame.decode().split("\n")
        assert rest == ["", ""]
        event = orjson.loads(data.removeprefix("data: "))
        assert head == f"event: {event['type']}"
        shown.append(event)
    return shown


def accumulated(said: Completion) -> Message:
    """What the SDK makes of the stream."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in events(said):
        if event["type"] != "ping":
            read = validate_type(type_=RawMessageStreamEvent, value=event)  # type: ignore[arg-type]
            snapshot = accumulate_event(event=read, current_snapshot=snapshot, json_bufs=buffers)
    return Message.model_validate(snapshot.model_dump(warnings=False))


@names
def test_a_plain_answer_is_golden(name: str) -> None:
    assert plain(name) == (GOLDEN / f"anthropic_{name}.json").read_bytes().removesuffix(b"\n")


@names
def test_a_stream_is_golden(name: str) -> None:
    assert b"".join(frames(CASES[name])) == (GOLDEN / f"anthropic_{name}.sse").read_bytes()


@names
def test_frames_joined_are_the_frames(name: str) -> None:
    made = CODEC.script(asked(stream=True), CASES[name], STAMP).frames
    assert made.join(0, len(made)) == b"".join(frames(CASES[name]))
    assert made.join(1, 3) == made[1] + made[2]


@names
def test_a_stream_makes_the_plain_answer(name: str) -> None:
    whole = Message.model_validate_json(plain(name))
    assert accumulated(CASES[name]) == whole


@names
def test_events_come_in_order(name: str) -> None:
    shown = events(CASES[name])
    blocks = message(name)["content"]
    expected = ["message_start", "ping"]
    for _ in blocks:
        expected += ["content_block_start", "content_block_delta", "content_block_stop"]
    expected += ["message_delta", "message_stop"]
    kinds = [event["type"] for event in shown]
    once = [
        kind
        for place, kind in enumerate(kinds)
        if kind != "content_block_delta" or kinds[place - 1] != kind
    ]
    assert once == expected
    indexed = [event["index"] for event in shown if event["type"] == "content_block_start"]
    assert indexed == list(range(len(blocks)))


@names
def test_a_stream_starts_without_any_text(name: str) -> None:
    start = events(CASES[name])[0]["message"]
    assert start["content"] == []
    assert start["stop_reason"] is start["stop_sequence"] is start["stop_details"] is None
    assert start["usage"]["output_tokens"] <= 1
    whole = message(name)
    assert {key: start[key] for key in ("id", "model", "role", "type")} == {
        key: whole[key] for key in ("id", "model", "role", "type")
    }


@names
def test_usage_at_the_end_is_the_total(name: str) -> None:
    delta = events(CASES[name])[-2]
    assert delta["delta"] == {
        key: message(name)[key] for key in ("stop_reason", "stop_sequence", "stop_details")
    }
    assert delta["usage"]["output_tokens"] == CASES[name].usage.completion


@names
def test_cached_tokens_are_not_among_the_others(name: str) -> None:
    shown, used = message(name)["usage"], CASES[name].usage
    assert shown["cache_read_input_tokens"] == used.cached
    assert shown["cache_creation_input_tokens"] == used.cache_written
    assert sum(shown["cache_creation"].values()) == used.cache_written
    assert shown["cache_creation"]["ephemeral_1h_input_tokens"] == used.cache_written_hour
    assert shown["input_tokens"] + used.cached + used.cache_written == used.prompt


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text", "end_turn"),
        ("length", "max_tokens"),
        ("stopped", "stop_sequence"),
        ("filter", "refusal"),
        ("refusal", "refusal"),
        ("call", "tool_use"),
        ("cut", "max_tokens"),
    ],
)
def test_stop_reasons(name: str, reason: str) -> None:
    shown = message(name)
    assert shown["stop_reason"] == reason
    assert shown["stop_sequence"] == ("three" if reason == "stop_sequence" else None)
    assert (shown["stop_details"] is not None) == (reason == "refusal")


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("nothing", []),
        ("text", ["text"]),
        ("refusal", ["text"]),
        ("thought", ["thinking", "text"]),
        ("unseen", ["thinking", "text"]),
        ("calls", ["thinking", "tool_use", "tool_use", "tool_use"]),
    ],
)
def test_blocks(name: str, kinds: list[str]) -> None:
    assert [block["type"] for block in message(name)["content"]] == kinds


def test_calls_have_ids_of_their_own_and_objects_for_input() -> None:
    blocks = message("calls")["content"][1:]
    assert [block["input"] for block in blocks] == [
        {"city": "Paris"},
        {"city": "Rome", "hours": [1, 2.5]},
        {},
    ]
    assert len({block["id"] for block in blocks}) == 3
    assert all(block["id"].startswith("toolu_01") for block in blocks)


def test_the_first_piece_of_a_calls_input_is_empty() -> None:
    shown = events(CASES["calls"])
    pieces = [
        event["delta"]["partial_json"]
        for event in shown
        if event["type"] == "content_block_delta" and event["index"] == 1
    ]
    assert pieces[0] == ""
    assert "".join(pieces) == '{"city":"Paris"}'
    # One without arguments has no other piece.
    assert [event["type"] for event in shown if event.get("index") == 3] == [
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    ]


def test_a_call_that_was_cut_short_has_what_is_certain() -> None:
    assert message("cut")["content"][0]["input"] == {"city": "Paris", "days": [1, 2, {}]}


def test_thinking_is_signed_once_and_at_its_end() -> None:
    deltas = [
        event["delta"]
        for event in events(CASES["thought"])
        if event["type"] == "content_block_delta" and event["index"] == 0
    ]
    assert [delta["type"] for delta in deltas[:-1]] == ["thinking_delta"] * (len(deltas) - 1)
    assert deltas[-1]["type"] == "signature_delta"
    assert deltas[-1]["signature"] == message("thought")["content"][0]["signature"]


def test_no_two_answers_are_signed_alike() -> None:
    other = Stamp("1123456789abcdef0123456789", STAMP.created)
    first, second = (
        orjson.loads(CODEC.plain(asked(), CASES["thought"], stamp))["content"][0]["signature"]
        for stamp in (STAMP, other)
    )
    assert first != second


@names
def test_frames_follow_the_clock(name: str) -> None:
    script = CODEC.script(asked(stream=True), CASES[name], STAMP)
    opening, ping, *before, last, stop = script.beats[:].tolist()
    assert len(before) + 4 == len(script.frames)
    assert opening == ping == START
    assert last == stop == END
    assert all(one <= other for one, other in pairwise(before))
    assert all(0 <= beat < CASES[name].choices[0].beats for beat in before)


def test_each_piece_waits_for_its_token() -> None:
    said = CASES["thought"]
    thought, answer = said.choices[0].segments
    beats = CODEC.script(asked(stream=True), said, STAMP).beats[:].tolist()
    deltas = [
        (event["index"], beat)
        for event, beat in zip(events(said), beats, strict=True)
        if event["type"] == "content_block_delta"
    ]
    count = thought.generated.tokens
    assert [beat for index, beat in deltas if index == 0] == [*range(count), count - 1]
    assert [beat for index, beat in deltas if index == 1] == [
        count + place for place in range(answer.generated.tokens)
    ]


@given(st.text(max_size=60), st.booleans())
def test_any_text_survives(text: str, thinks: bool) -> None:
    text = text.encode(errors="replace").decode()
    thoughts: list[Segment] = [ReasoningSegment(words("hm"))] if thinks else []
    made = completed(*thoughts, TextSegment(words(text)))
    whole = Message.model_validate_json(CODEC.plain(asked(), made, STAMP))
    assert "".join(block.text for block in whole.content if block.type == "text") == text
    assert accumulated(made) == whole


@pytest.mark.parametrize(
    ("asked_for", "shown"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
        ('my "own"', 'my "own"'),
    ],
)
def test_the_model_is_named_by_its_own_id(asked_for: str, shown: str) -> None:
    body = CODEC.plain(asked(model=asked_for), CASES["text"], STAMP)
    assert orjson.loads(body)["model"] == shown


def test_ids_lead_back_to_the_request() -> None:
    assert message("text")["id"].endswith(STAMP.mark)


def test_a_batch_answers_in_its_own_tier_and_never_streams() -> None:
    codec = AnthropicBatch()
    request = asked(codec, stream=True)
    assert request.stream is False
    shown = orjson.loads(codec.plain(request, CASES["text"], STAMP))
    assert shown["usage"]["service_tier"] == "batch"
    assert message("text")["usage"]["service_tier"] == "standard"


def test_a_count_is_the_whole_answer() -> None:
    body = AnthropicCount().plain(asked(), Completion((), Usage(0, 0), TokenCount(17)), STAMP)
    assert MessageTokensCount.model_validate_json(body).input_tokens == 17


@pytest.mark.parametrize(
    ("stream", "kind"),
    [(False, "application/json"), (True, "text/event-stream; charset=utf-8")],
)
def test_the_response_head(stream: bool, kind: str) -> None:
    answered = Plan(200, WholeFrame(b""), np.zeros(1), stream, 0.0, 0.0, 1)
    head = by_codec()["anthropic"].headers(answered, STAMP)
    assert dict(head)["content-type"] == kind
    assert dict(head)["request-id"].endswith(STAMP.mark)
    head.append(("x-mine", "1"))
    assert "x-mine" not in dict(by_codec()["anthropic"].headers(answered, STAMP))
