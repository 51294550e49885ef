"""Plans are views: what they give is what lists of the same frames and times would hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from llmsim.core import Completion, Due, Frames, Plan, Request, Seconds, StreamCodec
from llmsim.core.faults import (
    Cut,
    ErrorEvent,
    Fault,
    FaultPoint,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)
from llmsim.engine.compose import ModelSettings, PlanInputs
from llmsim.engine.due import BeatTimes, InterleavedTimes
from llmsim.engine.faults import apply
from llmsim.engine.faults.fault_context import FaultContext, FrameList, tokens_reached
from llmsim.engine.overrides import NO_OVERRIDES, ResponseOverrides
from llmsim.engine.plan import _clock, plan
from llmsim.engine.timing import DRAWS, TokenArrivals
from llmsim.engine.tokens import prompt
from llmsim.providers import registry
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.wire.beats import BeatRuns
from tests.engine.asking import AWKWARD, STAMP, settings

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
CODECS = {name: endpoint.codec for name, endpoint in registry.by_codec().items()}


def body(dialect: str, draw: st.DrawFn) -> dict[str, Any]:  # noqa: C901, PLR0912  a case an API
    """A request for a stream, in the words of an API."""
    text = draw(st.sampled_from(["Hi there", *AWKWARD[5:7]]))
    most = draw(st.sampled_from([None, 1, 7, 90]))
    stop = draw(st.sampled_from([None, None, ["e"], [".", "zz"]]))
    called, thinks, scored = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    n = draw(st.integers(1, 4))
    asked: dict[str, Any] = {"model": "gpt-4o", "stream": True}
    match dialect:
        case "openai_chat":
            asked |= {"messages": [{"role": "user", "content": text}], "n": n, "stop": stop}
            asked |= {"max_completion_tokens": most, "logprobs": scored}
            asked["stream_options"] = {"include_usage": called, "include_obfuscation": thinks}
            if called:
                function = {"name": "weather", "parameters": WEATHER}
                asked["tools"] = [{"type": "function", "function": function}]
        case "openai_completions":
            asked |= {"model": "gpt-3.5-turbo-instruct", "prompt": [text, "or"][: 1 + called]}
            asked |= {"n": n, "stop": stop, "max_tokens": most, "echo": thinks}
            asked["logprobs"] = 2 if scored else None
        case "openai_responses":
            asked |= {"input": text, "max_output_tokens": most and max(16, most)}
            if thinks:
                asked |= {"model": "o3-mini", "reasoning": {"summary": "auto"}}
            elif scored:
                asked |= {"top_logprobs": 2, "include": ["message.output_text.logprobs"]}
            if called:
                tool = {"type": "function", "name": "weather", "parameters": WEATHER}
                asked["tools"] = [tool]
        case "anthropic":
            asked |= {"model": "claude-sonnet-4-6", "max_tokens": most or 2000}
            asked["messages"] = [{"role": "user", "content": text}]
            if stop:
                asked["stop_sequences"] = stop
            if thinks and most is None:
                asked["thinking"] = {"type": "enabled", "budget_tokens": 1024}
            if called:
                asked["tools"] = [{"name": "weather", "input_schema": WEATHER}]
        case _:
            options: dict[str, Any] = {"candidateCount": n}
            if most is not None:
                options["maxOutputTokens"] = most
            if stop:
                options["stopSequences"] = stop
            if thinks:
                options["thinkingConfig"] = {"includeThoughts": True}
            if scored:
                options |= {"responseLogprobs": True, "logprobs": 2}
            contents = [{"role": "user", "parts": [{"text": text}]}]
            asked |= {"model": "gemini-2.5-flash", "contents": contents}
            asked["generationConfig"] = options
            if called:
                declared = [{"name": "weather", "parameters": WEATHER}]
                asked["tools"] = [{"functionDeclarations": declared}]
    return asked


places = st.sampled_from(
    [FaultPoint(), FaultPoint(0), FaultPoint(3), FaultPoint(10**6), FaultPoint(None, 0.3)]
)
faults = st.one_of(
    st.builds(lambda place: Cut(1, place), places),
    st.builds(lambda place: Stall(1, place, 2.5), places),
    st.builds(lambda place: Malformed(1, place), places),
    st.builds(lambda place: Reset(1, place), places),
    st.builds(lambda place: ErrorEvent(1, place), places),
    st.sampled_from([Trickle(1, 4.0), Trickle(1, 2.0, 7, 0.05), Unterminated(1)]),
)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Request, StreamCodec, ModelSettings, PlanInputs]:
    """A request for a stream, and what its plan depends on."""
    dialect = draw(st.sampled_from(["openai_chat", "openai_completions", "openai_responses",
                                    "anthropic", "gemini"]))  # fmt: skip
    asked = body(dialect, draw)
    codec: Any = CODECS[dialect]
    if dialect == "gemini":
        codec = Gemini(asked["model"], True, draw(st.booleans()))
    request = codec.decode(orjson.dumps(asked))
    generator = draw(st.sampled_from(["lorem", "random", "echo"]))
    tokens = draw(st.sampled_from([1, 5, 60, 300]))
    profile = draw(st.sampled_from(["gpt-4o", "o-series", "instant"]))
    model_settings = settings(request.model, generator, tokens=tokens, profile=profile)
    overrides = NO_OVERRIDES
    if draw(st.booleans()):
        overrides = ResponseOverrides(pace=2.0, delay=0.5, waited=draw(st.sampled_from([0.0, 1.5])))
    counted = prompt.tokens(request, model_settings.tokenizer)
    inputs = PlanInputs(draw(st.integers(0, 2**48)), 0, counted, overrides=overrides)
    return request, codec, model_settings, inputs


def listed(completion: Completion) -> Completion:
    """The completion with all its texts and pieces there."""
    choices = []
    for choice in completion.choices:
        segments = []
        for segment in choice.segments:
            made = segment.generated
            whole = structs.replace(
                made, source=made.text, pieces=list(made.pieces), ends=list(made.ends)
            )
            segments.append(structs.replace(segment, generated=whole))
        choices.append(structs.replace(choice, segments=tuple(segments)))
    return structs.replace(completion, choices=tuple(choices))


def clock_of(
    completion: Completion, model_settings: ModelSettings, seed: int, overrides: ResponseOverrides
) -> tuple[Seconds, float]:
    """When every token exists, as an array; and when what needs no token may leave."""
    clock = _clock(model_settings, seed, completion)
    times = clock.at(np.arange(sum(choice.beats for choice in completion.choices)))
    accept = clock.accept
    if overrides is not NO_OVERRIDES:
        begins = times.min()
        times = overrides.waited + begins * overrides.delay + (times - begins) * overrides.pace
        accept = overrides.waited + accept * overrides.delay
    return times, accept


def as_lists(
    made: Plan,
    request: Request,
    codec: StreamCodec,
    clock: Seconds,
    accept: float,
    fault: Fault | None,
) -> Plan:
    """The same plan, of lists, made without any of the views."""
    assert made.completion is not None
    completion = listed(made.completion)
    script = codec.script(request, completion, STAMP)
    beats = np.array([script.beats[place] for place in range(len(script.beats))])
    due = np.append(clock, (clock.min(), accept, clock.max()))[beats]
    order = np.argsort(due, kind="stable")
    frames = script.frames.reorder(order) if len(completion.choices) > 1 else script.frames
    frames = FrameList([frames[place] for place in range(len(beats))])
    ttft, total = float(clock.min()), float(clock.max())
    whole = Plan(200, frames, due[order], True, ttft, total, made.seed, completion)
    if fault is None:
        return whole
    tokens = sum(choice.tokens for choice in completion.choices)
    context = FaultContext(
        tokens,
        tokens_reached(beats, clock),
        lambda failure, sent: codec.error_event(request, completion, failure, STAMP, sent),
    )
    return apply(whole, context, fault)


def stretches(count: int, draw: Any) -> list[tuple[int, int]]:
    """Frames as they leave: a few at a time, one after another."""
    made = []
    start = 0
    while start < count:
        stop = min(count, start + draw(st.sampled_from([1, 2, 7, 33, 200])))
        made.append((start, stop))
        start = stop
    return made


@given(situations(), st.one_of(st.none(), faults), st.data())
def test_a_plan_is_what_a_list_would_be(
    situation: tuple[Request, StreamCodec, ModelSettings, PlanInputs],
    fault: Fault | None,
    data: st.DataObject,
) -> None:
    request, codec, model_settings, inputs = situation
    overrides = inputs.overrides
    if fault is not None:
        faulty = structs.replace(overrides, fault=fault)
        inputs = structs.replace(inputs, overrides=faulty)
        overrides = faulty
    made = plan(request, model_settings, inputs, codec, STAMP)
    assert made.completion is not None
    clock, accept = clock_of(made.completion, model_settings, inputs.seed, overrides)
    expected = as_lists(made, request, codec, clock, accept, fault)
    same_frames(made.frames, expected.frames, data.draw)
    same_times(made.due, expected.due[:], data.draw)
    assert (made.ttft, made.total) == (expected.ttft, expected.total)
    assert len(made.due) == len(made.frames) >= 1
    assert bool((np.diff(made.due[:]) >= 0).all())
    ends = (expected.ending, expected.length, expected.failure)
    assert (made.ending, made.length, made.failure) == ends


def same_frames(made: Frames, expected: Frames, draw: Any) -> None:
    assert len(made) == len(expected)
    for start, stop in stretches(len(made), draw):
        assert made.join(start, stop) == expected.join(start, stop)
    for place in draw(st.lists(st.integers(0, len(made) - 1), max_size=5)):
        assert made[place] == expected[place]


def same_times(made: Due, expected: Seconds, draw: Any) -> None:
    for start, stop in stretches(len(made), draw):
        assert made[start:stop].tolist() == expected[start:stop].tolist()
    assert made[len(made) - 1] == expected[-1]
    for place in draw(st.lists(st.integers(0, len(made) - 1), max_size=5)):
        assert made[place] == expected[place]


@given(
    st.lists(st.integers(1, 600), min_size=2, max_size=9),
    st.sampled_from([1, 5, 1000]),
    st.integers(0, 1000),
    st.data(),
)
def test_stretches_in_the_order_of_time_are_put_in_one_order(
    parts: list[int], times: int, seed: int, data: st.DataObject
) -> None:
    random = np.random.default_rng(seed)
    due = np.concatenate([np.sort(random.integers(0, times, size)) for size in parts]) / 8
    order = np.argsort(due, kind="stable")
    interleaved = InterleavedTimes(due, parts)
    same_times(interleaved, due[order], data.draw)
    assert interleaved.order[:].tolist() == order.tolist()
    start = data.draw(st.integers(0, len(due) - 1))
    assert interleaved.order[start] == order[start]


class LookedAt:
    """Times that count how many of them were looked at."""

    def __init__(self, times: Seconds) -> None:
        self.times, self.count = times, 0

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, wanted: Any) -> Any:
        found = self.times[wanted]
        self.count += found.size
        return found


def test_who_looks_far_ahead_and_then_asks_for_frames_does_not_begin_again() -> None:
    """As the scheduler does when it is late: beginning again would make it later."""
    parts = [100] * 20
    times = LookedAt(np.concatenate([np.sort(np.random.default_rng(3).random(100))] * 20))
    interleaved = InterleavedTimes(times, parts)
    for start in range(0, len(times), 100):
        for ahead in (0, 40, 200, 400):
            assert interleaved[start + ahead : start + ahead + 100] is not None
        assert len(interleaved.order[start : start + 100]) == 100
    assert times.count < 10 * len(times)


RUNS: list[tuple[Sequence[int], int]] = [
    ((-2,), 0),
    ((), 0),
    (range(5), 3),
    ([1, 4, 4], 2),
    ((-1, -1), 0),
]


def test_beats_are_what_their_runs_say() -> None:
    beats = BeatRuns(RUNS)
    expected = [-2, 3, 4, 5, 6, 7, 3, 6, 6, -1, -1]
    assert [beats[place] for place in range(len(beats))] == expected
    for start in range(len(expected)):
        for stop in range(start + 1, len(expected) + 1):
            assert beats[start:stop].tolist() == expected[start:stop]
            first = beats.row(start, stop)
            if first is not None:
                assert expected[start:stop] == list(range(first, first + stop - start))
    assert beats.row(1, 6) == 3


@pytest.mark.parametrize("seed", [1, 5])
def test_a_stream_goes_on_after_the_last_draw(seed: int) -> None:
    draws = settings().draws
    clock = TokenArrivals(draws, 2 * DRAWS, seed)
    due = BeatTimes(BeatRuns([(range(2 * DRAWS), 0)]), clock)
    times = due[:]
    assert bool((np.diff(times) >= 0).all())
    assert due[2 * DRAWS - 1] == times[-1] == clock.last
    assert due[DRAWS - 40 : DRAWS + 40].tolist() == times[DRAWS - 40 : DRAWS + 40].tolist()
