"""OpenAI chat completions on the wire: golden bytes, and what the official SDK reads in them.

The golden files hold what is sent for the completions below, with a fixed stamp.
"""

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from llmsim.core import (
    END,
    FIRST,
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
from llmsim.engine.plan import WholeFrame
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.registry import by_codec

GOLDEN = Path(__file__).parents[2] / "golden"
CHAT = OpenAIChat()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
ENCODING = tokenizer("o200k_base")


def asked(**fields: Any) -> Request:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], **fields}
    return CHAT.decode(orjson.dumps(body))


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
    completion = sum(one.tokens for one in choices) + reasoning
    return Completion(choices, Usage(9, completion, reasoning, cached))


TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
FUNCTION = {"name": "get_weather", "parameters": {"type": "object"}}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}
USAGE = {"stream_options": {"include_usage": True}}

CASES: dict[str, tuple[dict[str, Any], Completion]] = {
    "text": ({}, completed(choice(TextSegment(words("Hello, wörld 👩‍👩‍👧!"))))),
    "length": ({}, completed(choice(TextSegment(words("Cut off")), finish=Finish.LENGTH))),
    "filter": ({}, completed(choice(TextSegment(words("No")), finish=Finish.FILTER))),
    "nothing": ({}, completed(choice(TextSegment(words("")), finish=Finish.LENGTH))),
    "usage": (
        USAGE,
        completed(choice(TextSegment(words("Hi there."))), reasoning=64, cached=4),
    ),
    "bare": (
        {"stream_options": {"include_obfuscation": False}, "service_tier": "flex"},
        completed(choice(TextSegment(words('"quoted" \\ \n\u2028')))),
    ),
    "choices": (
        {"n": 2, **USAGE},
        completed(
            choice(TextSegment(words("One thing."))), choice(TextSegment(words("Another, longer.")))
        ),
    ),
    "logprobs": (
        {"logprobs": True, "top_logprobs": 2},
        completed(choice(TextSegment(with_logprobs("Yes 👍")))),
    ),
    "refusal": ({}, completed(choice(RefusalSegment(words("I can not help."))))),
    "thought": (
        {},
        completed(choice(ReasoningSegment(words("Let me see")), TextSegment(words("Two.")))),
    ),
    "tool": (
        {"tools": [TOOL]},
        completed(
            choice(
                ToolCallSegment("get_weather", words('{"city":"Paris"}', 5)), finish=Finish.TOOLS
            )
        ),
    ),
    "tools": (
        {"tools": [TOOL, CUSTOM]},
        completed(
            choice(
                ToolCallSegment("get_weather", words("{}", 5)),
                ToolCallSegment("shell", words("ls -l", 4), custom=True),
                finish=Finish.TOOLS,
            )
        ),
    ),
    "function": (
        {"functions": [FUNCTION]},
        completed(
            choice(ToolCallSegment("get_weather", words('{"city":"Rome"}', 5)), finish=Finish.TOOLS)
        ),
    ),
}
names = pytest.mark.parametrize("name", CASES)


def plain(name: str) -> bytes:
    fields, said = CASES[name]
    return CHAT.plain(asked(**fields), said, STAMP)


def streamed(name: str) -> list[bytes]:
    fields, said = CASES[name]
    frames = CHAT.script(asked(stream=True, **fields), said, STAMP).frames
    return [frames[place] for place in range(len(frames))]


def chunks(name: str) -> list[Any]:
    """The JSON of every event but the end mark."""
    *sent, end = streamed(name)
    assert end == b"data: [DONE]\n\n"
    return [orjson.loads(one.removeprefix(b"data: ").removesuffix(b"\n\n")) for one in sent]


@names
def test_a_plain_answer_is_golden(name: str) -> None:
    assert plain(name) == (GOLDEN / f"openai_chat_{name}.json").read_bytes().removesuffix(b"\n")


@names
def test_a_stream_is_golden(name: str) -> None:
    assert b"".join(streamed(name)) == (GOLDEN / f"openai_chat_{name}.sse").read_bytes()


@names
def test_the_sdk_reads_a_plain_answer(name: str) -> None:
    read = ChatCompletion.model_validate_json(plain(name))
    (fields, said) = CASES[name]
    assert read.id == "chatcmpl-LMs" + STAMP.mark
    assert len(read.id) == len("chatcmpl-") + 29
    assert (read.object, read.created, read.model) == ("chat.completion", STAMP.created, "gpt-4o")
    assert read.service_tier == fields.get("service_tier", "default")
    assert len(read.choices) == len(said.choices)
    assert read.usage is not None
    assert read.usage.completion_tokens == said.usage.completion
    assert read.usage.total_tokens == said.usage.total
    assert read.usage.completion_tokens_details is not None
    assert read.usage.completion_tokens_details.reasoning_tokens == said.usage.reasoning


# The SDK types the chunks of custom calls no further than plain answers.
@pytest.mark.parametrize("name", [name for name in CASES if name != "tools"])
def test_the_sdk_reads_every_chunk(name: str) -> None:
    for chunk in chunks(name):
        read = ChatCompletionChunk.model_validate(chunk)
        assert (read.id, read.created) == ("chatcmpl-LMs" + STAMP.mark, STAMP.created)
        assert read.object == "chat.completion.chunk"
        assert len(read.choices) <= 1


@names
def test_a_stream_says_what_the_plain_answer_does(name: str) -> None:
    whole = orjson.loads(plain(name))["choices"]
    for place, one in enumerate(whole):
        parts = [
            choice["delta"]
            for chunk in chunks(name)
            for choice in chunk["choices"]
            if choice["index"] == place
        ]
        for key in ("content", "refusal"):
            said = "".join(part.get(key) or "" for part in parts)
            assert said == (one["message"][key] or "")
        assert _calls(parts) == one["message"].get("tool_calls", [])


def _calls(deltas: list[Any]) -> list[Any]:
    """The tool calls of a stream, put together as the SDK does."""
    made: list[Any] = []
    for delta in deltas:
        for call in delta.get("tool_calls", []):
            place = call.pop("index")
            if place == len(made):
                made.append(call)
                continue
            for kind, said in call.items():
                for key, piece in said.items():
                    made[place][kind][key] += piece
    return made


@names
def test_the_order_of_a_stream(name: str) -> None:
    """Role first, finish reason last, then the usage if it is wanted."""
    sent = chunks(name)
    if asked(**CASES[name][0]).wire.usage_wanted:
        last = sent.pop()
        assert (last["choices"], "usage" in last) == ([], True)
        assert all(chunk["usage"] is None for chunk in sent)
    else:
        assert not any("usage" in chunk for chunk in sent)
    for place in range(len(CASES[name][1].choices)):
        mine = [c for chunk in sent for c in chunk["choices"] if c["index"] == place]
        assert [one["delta"].get("role") for one in mine] == ["assistant"] + [None] * (
            len(mine) - 1
        )
        assert [one["finish_reason"] is None for one in mine] == [True] * (len(mine) - 1) + [False]
        assert mine[-1]["delta"] == {}


@names
def test_every_frame_waits_for_a_token_that_comes(name: str) -> None:
    fields, said = CASES[name]
    script = CHAT.script(asked(stream=True, **fields), said, STAMP)
    beats = script.beats[:].tolist()
    assert len(beats) == len(script.frames)
    every = sum(choice.beats for choice in said.choices)
    assert all(beat in (END, FIRST) or 0 <= beat < every for beat in beats)
    offset = 0
    for place, one in enumerate(said.choices):
        mine = [
            beat
            for beat, chunk in zip(beats, chunks(name), strict=False)
            if chunk["choices"] and chunk["choices"][0]["index"] == place
        ]
        assert mine == sorted(mine)
        first = offset if len(said.choices) == 1 else FIRST
        assert (mine[0], mine[-1]) == (first, offset + one.beats - 1)
        offset += one.beats
    assert beats[-1] == END


def test_obfuscation_hides_the_length_of_a_piece() -> None:
    padded = [chunk for chunk in chunks("text") if "obfuscation" in chunk]
    assert len(padded) == len(chunks("text")) - 2, "on every chunk with content"
    sizes = {
        len(chunk["obfuscation"]) + len(chunk["choices"][0]["delta"]["content"]) for chunk in padded
    }
    assert len(sizes) == 1
    assert not any("obfuscation" in chunk for chunk in chunks("bare"))


@pytest.mark.parametrize(("asked_for", "answered"), [("auto", "default"), ("flex", "flex")])
def test_the_service_tier_that_was_asked_for(asked_for: str, answered: str) -> None:
    body = CHAT.plain(asked(service_tier=asked_for), CASES["text"][1], STAMP)
    assert orjson.loads(body)["service_tier"] == answered


def test_a_models_name_is_the_one_that_was_asked_for() -> None:
    model = 'ft:"gpt"\\4o:ü'
    body = CHAT.plain(asked(model=model), CASES["text"][1], STAMP)
    assert orjson.loads(body)["model"] == model


@pytest.mark.parametrize(
    ("stream", "kind"), [(False, "application/json"), (True, "text/event-stream; charset=utf-8")]
)
def test_the_head_tells_the_content_type(stream: bool, kind: str) -> None:
    plan = Plan(200, WholeFrame(b""), np.zeros(1), stream, 0.0, 0.0, 1)
    sent = dict(by_codec()["openai_chat"].headers(plan, STAMP))
    assert sent["content-type"] == kind
    assert ("cache-control" in sent) == stream
    assert sent["x-request-id"].endswith(STAMP.mark)


def test_a_failure_is_openais() -> None:
    status, body = by_codec()["openai_chat"].errors.failure(
        Failure(FailureKind.RATE_LIMIT, "slow"), STAMP
    )
    assert status == 429
    assert orjson.loads(body)["error"]["code"] == "rate_limit_exceeded"
