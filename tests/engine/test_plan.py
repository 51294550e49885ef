"""Plans: frames and due times that fit, the same content plain and streamed."""

import subprocess
import sys
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Plan, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.engine.plan import WholeFrame, failed
from llmsim.engine.tokens import ranks
from tests.engine.asking import AWKWARD, STAMP, asked, planned, settings

THINKER = "o3-mini"
HOUR = 3600.0

fields = st.fixed_dictionaries(
    {"model": st.sampled_from(["gpt-4o", "gpt-4", THINKER])},
    optional={
        "max_tokens": st.integers(0, 80),
        "n": st.integers(1, 4),
        "stop": st.lists(st.sampled_from(["e", ".", "a b", "👩", "\u200d"]), max_size=4),
        "logprobs": st.just(True),
        "stream_options": st.fixed_dictionaries(
            {"include_usage": st.booleans(), "include_obfuscation": st.booleans()}
        ),
    },
)
generators = st.sampled_from(["lorem", "random", "echo"])
texts = st.one_of(st.sampled_from(AWKWARD), st.text(max_size=60))
profiles = st.sampled_from(["gpt-4o", "o-series", "fast", "instant"])
seeds = st.integers(0, 2**48)


def events(plan: Plan) -> list[Any]:
    """The JSON of each event of a stream; its last frame has to be the end mark."""
    *chunks, end, rest = plan.frames.join(0, len(plan.frames)).split(b"\n\n")
    assert (end, rest) == (b"data: [DONE]", b"")
    assert all(event.startswith(b"data: {") for event in chunks)
    return [orjson.loads(event.removeprefix(b"data: ")) for event in chunks]


def streamed(plan: Plan) -> dict[int, dict[str, Any]]:
    """Content, finish reason and log probabilities of each choice of a stream."""
    choices: dict[int, dict[str, Any]] = {}
    for event in events(plan):
        for choice in event["choices"]:
            one = choices.setdefault(
                choice["index"], {"content": "", "finish_reason": None, "logprobs": []}
            )
            assert one["finish_reason"] is None, "something was said after the end"
            one["content"] += choice["delta"].get("content") or ""
            one["finish_reason"] = choice["finish_reason"]
            one["logprobs"] += (choice["logprobs"] or {"content": []})["content"]
    return choices


def plain(plan: Plan) -> dict[int, dict[str, Any]]:
    """The same of a plain answer."""
    return {
        choice["index"]: {
            "content": choice["message"]["content"],
            "finish_reason": choice["finish_reason"],
            "logprobs": (choice["logprobs"] or {"content": []})["content"],
        }
        for choice in orjson.loads(plan.frames[0])["choices"]
    }


@given(generators, texts, fields, st.booleans(), profiles, seeds)
def test_every_frame_has_a_time_and_times_never_decrease(
    generator: str, text: str, body_fields: dict[str, Any], stream: bool, profile: str, seed: int
) -> None:
    request = asked(text, stream=stream, **body_fields)
    plan = planned(request, settings(request.model, generator, profile=profile), seed)
    assert len(plan.frames) == len(plan.due) >= 1
    assert plan.due[:].dtype == np.float64
    assert plan.due[0] >= 0
    assert bool(np.all(np.diff(plan.due[:]) >= 0))
    assert plan.due[-1] == plan.total < HOUR
    assert 0 <= plan.ttft <= plan.total
    assert (plan.status, plan.stream, plan.seed, plan.failure) == (200, stream, seed, None)
    assert stream or len(plan.frames) == 1


@given(generators, texts, fields, seeds)
def test_a_stream_says_what_the_plain_answer_does(
    generator: str, text: str, body_fields: dict[str, Any], seed: int
) -> None:
    model_settings = settings(body_fields["model"], generator)
    whole = planned(asked(text, **body_fields), model_settings, seed)
    parts = planned(asked(text, stream=True, **body_fields), model_settings, seed)
    assert streamed(parts) == plain(whole)
    assert parts.completion is not None
    assert whole.completion is not None
    assert parts.completion.usage == whole.completion.usage
    assert parts.total == pytest.approx(whole.total, abs=1e-9)
    assert parts.ttft == pytest.approx(whole.ttft, abs=1e-9)


@given(generators, texts, fields, seeds)
def test_usage_on_the_wire_is_what_the_tokenizer_counts(
    generator: str, text: str, body_fields: dict[str, Any], seed: int
) -> None:
    model_settings = settings(body_fields["model"], generator)
    count = ranks.encoding(model_settings.model.encoding).encode_ordinary
    body = orjson.loads(planned(asked(text, **body_fields), model_settings, seed).frames[0])
    usage = body["usage"]
    said = sum(len(count(choice["message"]["content"])) for choice in body["choices"])
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert usage["completion_tokens"] == said + reasoning
    assert usage["prompt_tokens"] == 7 + len(count(text))
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    chunks = body_fields | {"stream_options": {"include_usage": True}}
    last = events(planned(asked(text, stream=True, **chunks), model_settings, seed))[-1]
    assert (last["choices"], last["usage"]) == ([], usage)


@given(generators, texts, fields, st.data())
def test_joined_frames_are_the_single_ones(
    generator: str, text: str, body_fields: dict[str, Any], data: st.DataObject
) -> None:
    frames = planned(
        asked(text, stream=True, **body_fields), settings(body_fields["model"], generator)
    ).frames
    start = data.draw(st.integers(0, len(frames) - 1))
    stop = data.draw(st.integers(start + 1, len(frames)))
    single = [frames[place] for place in range(start, stop)]
    assert frames.join(start, stop) == b"".join(single)
    for frame in single:
        assert frame.startswith(b"data: ")
        assert frame.endswith(b"\n\n")
        frame.decode()  # no frame ends inside a character


@given(generators, texts, fields, st.booleans(), seeds)
def test_the_seed_decides_all_but_the_stamp(
    generator: str, text: str, body_fields: dict[str, Any], stream: bool, seed: int
) -> None:
    request = asked(text, stream=stream, **body_fields)
    model_settings = settings(request.model, generator)
    other = Stamp("f" * 26, 1_800_000_000)
    one, again, later = (
        planned(request, model_settings, seed, stamp=s) for s in (STAMP, STAMP, other)
    )
    assert (one.due[:] == again.due[:]).all()
    assert (one.due[:] == later.due[:]).all()
    said = [plan.frames.join(0, len(plan.frames)) for plan in (one, again, later)]
    assert said[0] == said[1] != said[2]
    assert (
        said[2]
        .replace(b"f" * 26, STAMP.mark.encode())
        .replace(b'"created":1800000000', b'"created":%d' % STAMP.created)
        == said[0]
    )


def test_a_plan_is_the_same_in_another_process() -> None:
    code = (
        "from tests.engine.asking import asked, planned, settings;"
        "plan = planned(asked(stream=True, n=2), settings(), seed=5);"
        "print((plan.frames.join(0, len(plan.frames)) + plan.due[:].tobytes()).hex())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    plan = planned(asked(stream=True, n=2), settings(), seed=5)
    here = plan.frames.join(0, len(plan.frames)) + plan.due[:].tobytes()
    assert said.stdout.strip() == here.hex()


def test_a_token_leaves_when_it_exists() -> None:
    plan = planned(asked(stream=True), settings(tokens=30, profile="gpt-4o"))
    role, *tokens, finish, done = plan.due[:]
    assert len(tokens) == 30
    assert role == tokens[0] == plan.ttft
    assert finish == done == tokens[-1] == plan.total
    assert len(set(tokens)) == 30


def test_pieces_wait_for_the_last_token_of_their_characters() -> None:
    text = "👩‍👩‍👧‍👦🏳️‍🌈"
    model_settings = settings(generator="fixed", texts=[text])
    plan = planned(asked(stream=True), model_settings)
    words = model_settings.tokenizer.text(text, pieces=True)
    assert len(words.pieces) < words.tokens
    whole = planned(asked(stream=True), settings(generator="lorem", tokens=words.tokens))
    clock = whole.due[1:-2]  # one time a token, by the same seed
    assert plan.due[1:-2] == pytest.approx(clock[list(words.ends)])


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_of_nothing_still_takes_its_time(stream: bool) -> None:
    plan = planned(asked(stream=stream, max_tokens=0), settings())
    assert plan.ttft == plan.total > 0
    assert set(plan.due[:]) == {plan.total}


def test_instant_answers_are_due_at_once() -> None:
    for stream in (False, True):
        plan = planned(asked(stream=stream, n=2), settings(profile="instant"))
        assert not plan.due[:].any()
        assert plan.ttft == plan.total == 0


@pytest.mark.parametrize("n", [2, 5])
def test_alternatives_share_a_stream_by_time(n: int) -> None:
    plan = planned(asked(stream=True, n=n), settings(tokens=50))
    order = [choice["index"] for event in events(plan) for choice in event["choices"]]
    assert sorted(order) == sorted(list(range(n)) * 52)
    assert order != sorted(order), "they are said at the same time"


def test_the_usage_and_the_end_come_when_all_has_been_said() -> None:
    request = asked(stream=True, n=3, stream_options={"include_usage": True})
    plan = planned(request, settings(tokens=20))
    *_, usage, done = (plan.frames[place] for place in range(len(plan.frames)))
    assert b'"choices":[],"usage":{' in usage
    assert done == b"data: [DONE]\n\n"
    assert plan.due[-1] == plan.due[-2] == plan.total


def test_thinking_harder_takes_longer_to_the_first_token() -> None:
    model_settings = settings(THINKER, profile="o-series")
    efforts = ["minimal", "low", "medium", "high", "xhigh"]
    plans = [
        planned(asked(model=THINKER, reasoning_effort=each), model_settings) for each in efforts
    ]
    times = [plan.ttft for plan in plans]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert planned(asked(model=THINKER), model_settings).ttft == pytest.approx(times[2])


def test_a_failure_is_one_frame_due_at_once() -> None:
    failure = Failure(FailureKind.RATE_LIMIT, "too many")
    plan = failed(failure, 429, b"{}")
    assert (plan.status, plan.stream, plan.failure, plan.completion) == (429, False, failure, None)
    assert (len(plan.frames), plan.due[:].tolist(), plan.frames[0]) == (1, [0.0], b"{}")


def test_a_whole_answer_is_one_frame() -> None:
    whole = WholeFrame(b"body")
    assert (len(whole), whole[0], whole.join(0, 1)) == (1, b"body", b"body")
    with pytest.raises(IndexError):
        whole[1]
