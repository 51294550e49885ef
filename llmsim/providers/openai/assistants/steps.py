"""Assistants: what a run does from one stop to the next, as it follows from a completion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from msgspec import Struct, structs

from llmsim.core import (
    Choice,
    Completion,
    Finish,
    RefusalSegment,
    Request,
    Segment,
    Stamp,
    TextSegment,
    ToolCallSegment,
)
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.progress import Outcome
from llmsim.providers.openai.assistants.runs import (
    RunError,
    RunRecord,
    RunStepRecord,
    RunStretch,
    RunUsage,
)
from llmsim.providers.openai.error_messages import MESSAGES
from llmsim.providers.openai.lists import Object

BuiltIn = Literal["code_interpreter", "file_search"]
"""A tool that the service runs itself."""

CODE = "values = [3, 1, 4, 1, 5]\nprint(sum(values))"
LOGS = "14\n"
FOUND = "Lorem ipsum dolor sit amet, consectetur adipiscing elit."

_ERRORS: dict[FailureKind, Literal["rate_limit_exceeded", "invalid_prompt"]] = {
    FailureKind.RATE_LIMIT: "rate_limit_exceeded",
    FailureKind.TOKEN_LIMIT: "rate_limit_exceeded",
    FailureKind.QUOTA: "rate_limit_exceeded",
    FailureKind.INVALID: "invalid_prompt",
    FailureKind.CONTEXT_LENGTH: "invalid_prompt",
}


class RunWire(Struct, frozen=True):
    """What the codec needs of a request to write its answer.

    ``run`` is the run before this stretch; one that is new has no id yet. ``thread`` is the
    thread that is created along with it, ``built_in`` are the tools that the service runs first.
    """

    run: RunRecord
    thread: Object | None = None
    built_in: tuple[BuiltIn, ...] = ()


class PlannedStep(Struct, frozen=True):
    """One step, before it is known when. ``first`` and ``last`` are the beats of its first and
    last token; ``segments`` what the model writes: one text, or calls. There are none where the
    service runs a tool."""

    record: RunStepRecord
    segments: tuple[Segment, ...]
    first: int
    last: int


def outcome(request: Request, completion: Completion) -> Outcome:
    """How a stretch ends that nothing goes wrong with."""
    choice = completion.choices[0]
    if _over(request, completion) or choice.finish in (Finish.LENGTH, Finish.FILTER):
        return "incomplete"
    called = any(isinstance(segment, ToolCallSegment) for segment in choice.segments)
    return "requires_action" if called else "completed"


def planned(request: Request, completion: Completion, stamp: Stamp) -> list[PlannedStep]:
    """The steps of a stretch, in their order."""
    if _over(request, completion):
        return []
    wire: RunWire = request.wire
    made = [_built_in(kind, place, stamp) for place, kind in enumerate(wire.built_in)]
    calls = 0
    choice = completion.choices[0]
    for segments, first, last in _groups(choice):
        place = len(made)
        usage = RunUsage(0, 0)
        if place == len(wire.built_in):
            usage = RunUsage(completion.usage.prompt, completion.usage.completion)
        if isinstance(segments[0], ToolCallSegment):
            listed = tuple(_calls(segments, calls, stamp))
            calls += len(listed)
            ends = None if outcome(request, completion) == "requires_action" else 0.0
            record = RunStepRecord(step_id(stamp, place), 0, ends, calls=listed, usage=usage)
        else:
            record = _message(segments[0], choice.finish, place, stamp, usage)
        made.append(PlannedStep(record, segments, first, last))
    return made


def stretch(
    request: Request,
    completion: Completion,
    stamp: Stamp,
    began: float,
    times: tuple[float, float],
    failure: Failure | None = None,
    written: int = 0,
) -> RunStretch:
    """The stretch as it is stored. ``times`` are the TTFT and the total of its plan, in seconds;
    ``failure`` is what ends it before its time, after so many tokens were ``written``."""
    ttft, total = times
    beats = completion.choices[0].beats

    def at(beat: int) -> float:
        return total if beat >= beats - 1 > 0 else ttft + (total - ttft) * beat / max(beats - 1, 1)

    made = planned(request, completion, stamp)
    steps = [_timed(one, at) for one in made]
    if failure is not None:
        steps = [
            step
            for one in made
            if (step := _unfinished(one, min(ttft, total), written)) is not None
        ]
    usage = RunUsage(completion.usage.prompt, completion.usage.completion)
    result = outcome(request, completion)
    if failure is not None:
        result = "failed"
    return RunStretch(
        began,
        began + min(ttft, total),
        began + total,
        result,
        tuple(steps),
        usage,
        _incomplete(request, completion) if result == "incomplete" else None,
        None if failure is None else error(failure),
    )


def error(failure: Failure) -> RunError:
    """A failure as a run's last error."""
    message = failure.message or MESSAGES[failure.kind]
    return RunError(_ERRORS.get(failure.kind, "server_error"), message)


def run_id(stamp: Stamp) -> str:
    """The id of a run that a request creates: the journal knows it by that, too."""
    return f"run_{stamp.mark}"


def step_id(stamp: Stamp, place: int) -> str:
    """The id of a stretch's step number ``place``."""
    return f"step_{place:02x}{stamp.mark}"


def _call_id(stamp: Stamp, place: int) -> str:
    """The whole mark is in it: a run may go on in another worker."""
    return f"call_{place:02x}{stamp.mark}"


def _over(request: Request, completion: Completion) -> bool:
    """Whether the prompt has more tokens than the run may have."""
    most = request.wire.run.echo["max_prompt_tokens"]
    return most is not None and completion.usage.prompt > most


def _incomplete(
    request: Request, completion: Completion
) -> Literal["max_completion_tokens", "max_prompt_tokens"] | None:
    if _over(request, completion):
        return "max_prompt_tokens"
    cut = completion.choices[0].finish is Finish.LENGTH
    return "max_completion_tokens" if cut else None


def _groups(choice: Choice) -> Iterator[tuple[tuple[Segment, ...], int, int]]:
    """What each step writes, with the beats of its first and last token: texts one by one, calls
    together. Reasoning is not shown."""
    start = 0
    calls: list[Segment] = []
    begun = 0
    for segment in choice.segments:
        end = start + segment.generated.tokens
        if isinstance(segment, ToolCallSegment):
            begun = begun if calls else start
            calls.append(segment)
        elif isinstance(segment, TextSegment | RefusalSegment):
            if calls:
                yield tuple(calls), begun, start - 1
                calls = []
            yield (segment,), min(start, choice.beats - 1), max(end - 1, start, 0)
        start = end
    if calls:
        yield tuple(calls), begun, max(start - 1, 0)


def _message(
    segment: Segment, finish: Finish, place: int, stamp: Stamp, usage: RunUsage
) -> RunStepRecord:
    cut: Literal["max_tokens", "content_filter"] | None = None
    if finish is Finish.LENGTH:
        cut = "max_tokens"
    elif finish is Finish.FILTER:
        cut = "content_filter"
    return RunStepRecord(
        step_id(stamp, place),
        0,
        0,
        f"msg_{place:02x}{stamp.mark}",
        segment.generated.text,
        isinstance(segment, RefusalSegment),
        cut,
        usage=usage,
    )


def _calls(segments: Sequence[Segment], before: int, stamp: Stamp) -> Iterator[Object]:
    for place, segment in enumerate(segments):
        assert isinstance(segment, ToolCallSegment)
        yield {
            "id": _call_id(stamp, before + place),
            "type": "function",
            "function": {
                "name": segment.name,
                "arguments": segment.generated.text,
                "output": None,
            },
        }


def _built_in(kind: BuiltIn, place: int, stamp: Stamp) -> PlannedStep:
    call: Object = {"id": _call_id(stamp, 0x80 + place), "type": kind}
    if kind == "code_interpreter":
        call[kind] = {"input": CODE, "outputs": [{"type": "logs", "logs": LOGS}]}
    else:
        result = {
            "file_id": f"file-{stamp.mark[4:]}",
            "file_name": "lorem.txt",
            "score": 0.87,
            "content": [{"type": "text", "text": FOUND}],
        }
        options = {"ranker": "default_2024_08_21", "score_threshold": 0.0}
        call[kind] = {"ranking_options": options, "results": [result]}
    record = RunStepRecord(step_id(stamp, place), 0, 0, calls=(call,))
    return PlannedStep(record, (), 0, 0)


def _timed(step: PlannedStep, at: Callable[[int], float]) -> RunStepRecord:
    record = step.record
    ends = None if record.ends is None else at(step.last if step.segments else 0)
    return structs.replace(record, begins=at(step.first), ends=ends)


def _unfinished(step: PlannedStep, ttft: float, written: int) -> RunStepRecord | None:
    """The step where its run failed; None if it had not begun."""
    record = structs.replace(step.record, begins=ttft, ends=ttft)
    if step.last < written or not step.segments:
        return record
    if step.first >= max(written, 1):
        return None
    text = record.text and text_until(step, written)
    return structs.replace(record, ends=None, text=text)


def text_until(step: PlannedStep, beat: int) -> str:
    """What of a step's text was written before that beat."""
    generated = step.segments[0].generated
    tokens = beat - step.first
    if generated.pieces:
        pieces = zip(generated.pieces, generated.ends, strict=True)
        return "".join(piece for piece, end in pieces if end < tokens)
    share = tokens / max(generated.tokens, 1)
    return generated.text[: int(len(generated.text) * max(0.0, min(share, 1.0)))]
