"""Legacy completions on the wire: golden bytes, and what the official SDK reads in them.

The golden files hold what is sent for the completions below, with a fixed stamp.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
from openai.types import Completion as SDKCompletion

from llmsim.core import (
    END,
    Choice,
    Complete,
    Completion,
    Finish,
    GeneratedText,
    Logprob,
    Message,
    RefusalSegment,
    Request,
    Stamp,
    TextSegment,
    TokenLogprobs,
    Usage,
)
from llmsim.core.errors import BadRequest, Failure, FailureKind, TooLong
from llmsim.engine.tokens.tokenizer import tokenizer
from llmsim.providers.openai.completions.codec import FINISH, OpenAICompletions
from llmsim.providers.registry import by_codec

GOLDEN = Path(__file__).parents[2] / "golden"
COMPLETIONS = OpenAICompletions()
STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
ENCODING = tokenizer("cl100k_base")
MODEL = "gpt-3.5-turbo-instruct"
PROMPT = "Say 👍"


def body(**fields: Any) -> bytes:
    return orjson.dumps({"model": MODEL, "prompt": PROMPT, **fields})


def asked(**fields: Any) -> Request:
    return COMPLETIONS.decode(body(**fields))


def refused(**fields: Any) -> Failure:
    with pytest.raises(BadRequest) as caught:
        asked(**fields)
    return caught.value.failure


def words(text: str, top: int | None = None) -> GeneratedText:
    said = ENCODING.text(text, pieces=True)
    if top is None:
        return said
    others = (Logprob(b" or", -2.5), Logprob(b" no", -3.5))
    entries = tuple(
        TokenLogprobs(Logprob(token, -0.25), (Logprob(token, -0.25), *others)[:top])
        for token in ENCODING.encode(text)
    )
    return GeneratedText(said.text, said.tokens, said.pieces, said.ends, entries)


def choice(
    said: GeneratedText, finish: Finish = Finish.STOP, prompt: GeneratedText | None = None
) -> Choice:
    return Choice((TextSegment(said),), said.tokens, finish, prompt=prompt)


def completed(*choices: Choice) -> Completion:
    return Completion(choices, Usage(5, sum(one.tokens for one in choices)))


USAGE = {"stream_options": {"include_usage": True}}

CASES: dict[str, tuple[dict[str, Any], Completion]] = {
    "text": ({}, completed(choice(words(" hello, wörld 👩‍👧!")))),
    "length": (USAGE, completed(choice(words(" cut off"), Finish.LENGTH))),
    "nothing": ({"max_tokens": 0}, completed(choice(words(""), Finish.LENGTH))),
    "echo": (
        {"echo": True},
        completed(choice(words(" then."), prompt=words(PROMPT))),
    ),
    "logprobs": (
        {"logprobs": 2},
        completed(choice(words(" yes 👍", 2), prompt=words(PROMPT, 2))),
    ),
    "chosen": (
        {"logprobs": 0, "echo": True},
        completed(choice(words(" yes", 0), prompt=words(PROMPT, 0))),
    ),
    "echoed": (
        {"logprobs": 2, "echo": True, **USAGE},
        completed(choice(words(" yes", 2), prompt=words(PROMPT, 2))),
    ),
    "choices": (
        {"prompt": ["One", "Two"], "n": 2, **USAGE},
        completed(*(choice(words(text)) for text in (" a.", " b, longer.", " c.", " d."))),
    ),
    "refusal": ({}, completed(Choice((RefusalSegment(words("No.")),), 2, Finish.STOP))),
}
names = pytest.mark.parametrize("name", CASES)


def plain(name: str) -> bytes:
    fields, said = CASES[name]
    return COMPLETIONS.plain(asked(**fields), said, STAMP)


def streamed(name: str) -> list[bytes]:
    fields, said = CASES[name]
    frames = COMPLETIONS.script(asked(stream=True, **fields), said, STAMP).frames
    return [frames[place] for place in range(len(frames))]


def chunks(name: str) -> list[Any]:
    """The JSON of every event but the end mark."""
    *sent, end = streamed(name)
    assert end == b"data: [DONE]\n\n"
    return [orjson.loads(one.removeprefix(b"data: ").removesuffix(b"\n\n")) for one in sent]


@names
def test_a_plain_answer_is_golden(name: str) -> None:
    golden = (GOLDEN / f"openai_completions_{name}.json").read_bytes()
    assert plain(name) == golden.removesuffix(b"\n")


@names
def test_a_stream_is_golden(name: str) -> None:
    assert b"".join(streamed(name)) == (GOLDEN / f"openai_completions_{name}.sse").read_bytes()


# Where a prompt is echoed its first token has no probability, which the SDK types as a number.
@pytest.mark.parametrize("name", [name for name in CASES if name != "echoed"])
def test_the_sdk_reads_a_plain_answer(name: str) -> None:
    read = SDKCompletion.model_validate_json(plain(name), strict=True)
    said = CASES[name][1]
    assert read.id == "cmpl-LMs" + STAMP.mark
    assert (read.object, read.created, read.model) == ("text_completion", STAMP.created, MODEL)
    assert [one.index for one in read.choices] == list(range(len(said.choices)))
    assert read.usage is not None
    assert read.usage.prompt_tokens == 5
    assert read.usage.completion_tokens == said.usage.completion
    assert read.usage.total_tokens == said.usage.total


@names
def test_a_stream_says_what_the_plain_answer_does(name: str) -> None:
    for whole in orjson.loads(plain(name))["choices"]:
        parts = [
            one
            for chunk in chunks(name)
            for one in chunk["choices"]
            if one["index"] == whole["index"]
        ]
        assert "".join(part["text"] for part in parts) == whole["text"]
        assert [part["finish_reason"] for part in parts[:-1]] == [None] * (len(parts) - 1)
        assert (parts[-1]["text"], parts[-1]["finish_reason"]) == ("", whole["finish_reason"])
        if whole["logprobs"] is not None:
            sent = [part["logprobs"] for part in parts[:-1]]
            for key in ("tokens", "token_logprobs", "text_offset"):
                assert [one for part in sent for one in part[key]] == whole["logprobs"][key]


@names
def test_usage_comes_last_and_only_if_wanted(name: str) -> None:
    sent = chunks(name)
    assert len({chunk["id"] for chunk in sent}) == 1
    assert {chunk["object"] for chunk in sent} == {"text_completion"}
    if CASES[name][0].get("stream_options"):
        last = sent.pop()
        assert last["choices"] == []
        assert last["usage"] == orjson.loads(plain(name))["usage"]
        assert all(chunk["usage"] is None for chunk in sent)
    else:
        assert not any("usage" in chunk for chunk in sent)


@names
def test_every_frame_waits_for_a_token_that_comes(name: str) -> None:
    fields, said = CASES[name]
    script = COMPLETIONS.script(asked(stream=True, **fields), said, STAMP)
    beats = script.beats[:].tolist()
    assert len(beats) == len(script.frames)
    assert beats[-1] == END
    offset = 0
    for place, one in enumerate(said.choices):
        mine = [
            beat
            for beat, chunk in zip(beats, chunks(name), strict=False)
            if chunk["choices"] and chunk["choices"][0]["index"] == place
        ]
        assert mine == sorted(mine)
        assert (mine[0] >= offset, mine[-1]) == (True, offset + one.beats - 1)
        offset += one.beats


def test_logprobs_tell_where_each_token_is_and_the_bytes_of_half_a_character() -> None:
    (one,) = orjson.loads(plain("echoed"))["choices"]
    sent = one["logprobs"]
    assert sent["tokens"] == ["Say", "bytes:\\x20\\xf0\\x9f\\x91", "bytes:\\x8d", " yes"]
    assert sent["text_offset"] == [0, 3, 5, 5]
    assert sent["token_logprobs"] == [None, -0.25, -0.25, -0.25]
    assert sent["top_logprobs"][0] is None
    assert sent["top_logprobs"][3] == {" yes": -0.25, " or": -2.5}


def test_logprobs_without_an_echo_count_the_prompts_characters_too() -> None:
    (one,) = orjson.loads(plain("logprobs"))["choices"]
    assert one["text"] == " yes 👍"
    assert one["logprobs"]["text_offset"][0] == len(PROMPT)


def test_every_finish_is_spelled() -> None:
    assert set(FINISH) == set(Finish)


# --- requests -----------------------------------------------------------------------------------


def test_a_small_request_has_the_defaults() -> None:
    request = COMPLETIONS.decode(orjson.dumps({"model": MODEL}))
    assert (request.model, request.max_tokens, request.n, request.stream) == (MODEL, 16, 1, False)
    assert request.task == Complete(False, 1, "")
    (message,) = request.messages
    assert (message.text, message.extra) == ("", 1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"echo": True}, Complete(True)),
        ({"logprobs": 0}, Complete(True)),
        ({"best_of": 3, "n": 2}, Complete(False, 3)),
        ({"best_of": 0, "n": 2}, Complete(False, 2)),
        ({"best_of": 2, "n": 2, "stream": True}, Complete(False, 2)),
        ({"suffix": "end"}, Complete(False, 1, "end")),
    ],
)
def test_the_task(fields: dict[str, Any], expected: Complete) -> None:
    assert asked(**fields).task == expected


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2, "best_of": 1}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"best_of": 21}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"n": 129}, "n"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"temperature": 2.5}, "temperature"),
        ({"prompt": ["x"] * 1025, "n": 2}, "prompt"),
        ({"prompt": {"text": "x"}}, "prompt"),
        ({"model": None}, "model"),
    ],
)
def test_what_is_refused_is_named(fields: dict[str, Any], param: str) -> None:
    failure = refused(**fields)
    assert (failure.kind, failure.param) == (FailureKind.INVALID, param)


def test_a_prompt_that_is_too_long_is_refused_in_the_words_of_completions() -> None:
    failure = Failure(FailureKind.CONTEXT_LENGTH, "x", "messages", too_long=TooLong(4096, 10, 5000))
    status, sent = by_codec()["openai_completions"].errors.failure(failure, STAMP)
    error = orjson.loads(sent)["error"]
    assert (status, error["param"], error["code"]) == (400, None, "context_length_exceeded")
    assert (
        "you requested 5010 tokens (10 in your prompt; 5000 for the completion)"
        in (error["message"])
    )


def test_prompts_are_messages() -> None:
    assert asked(prompt=["a", "b"]).messages == (Message("user", "a"), Message("user", "b"))
    assert asked(prompt=[1, 2]).messages == (Message("user", tokens=(1, 2)),)
