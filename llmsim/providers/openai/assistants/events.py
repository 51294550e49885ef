"""Assistants: the events of a stream (``types.beta.assistant_stream_event``), in their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import orjson
from msgspec import structs

from llmsim.core import (
    END,
    START,
    Completion,
    GeneratedText,
    RefusalSegment,
    Request,
    Segment,
    Stamp,
    StreamScript,
    ToolCallSegment,
)
from llmsim.core.errors import Failure
from llmsim.core.progress import CANCELLING, Status
from llmsim.providers.openai.assistants import runs, steps
from llmsim.providers.openai.assistants.runs import RunRecord, RunStretch, StepMoment, StepStatus
from llmsim.providers.openai.assistants.steps import PlannedStep, RunWire
from llmsim.providers.openai.lists import Object
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRun, BeatRuns
from llmsim.providers.wire.named_events import NamedEvents, SimilarEvents, SingleEvent

DONE = sse.event(b"[DONE]", b"done")


def named(run: RunRecord, stamp: Stamp) -> RunRecord:
    """The run; one that is new gets its id."""
    if run.id:
        return run
    return structs.replace(run, id=steps.run_id(stamp), created=stamp.created)


def script(request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
    """The whole stream."""
    return _written(request, completion, stamp).script()


def _written(request: Request, completion: Completion, stamp: Stamp) -> EventWriter:
    """Everything that a stretch of a run tells if nothing goes wrong."""
    wire: RunWire = request.wire
    before = named(wire.run, stamp)
    now = _now(before, stamp)
    stretch = steps.stretch(request, completion, stamp, now, (0.0, 0.0))
    after = structs.replace(before, stretches=(*before.stretches, stretch))
    writer = EventWriter(after, stretch, now)
    if wire.thread is not None:
        writer.event(START, b"thread.created", wire.thread)
    if before.stretches:
        writer.submitted(before)
    else:
        writer.run(START, b"created", "queued", before)
    writer.run(START, b"queued", "queued", before)
    writer.run(0, b"in_progress", "in_progress", before)
    for step in steps.planned(request, completion, stamp):
        writer.step(step)
    last = completion.choices[0].beats - 1
    shown = runs.run_object(after, now)
    writer.event(last, b"thread.run." + shown["status"].encode(), shown)
    writer.frame(END, DONE)
    return writer


def tokens_sent(request: Request, completion: Completion, stamp: Stamp, sent: int) -> int:
    """How many tokens a client has seen after so many events."""
    return _written(request, completion, stamp).tokens(sent)


def failed(
    request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
) -> bytes:
    """The events that end a run which fails after ``sent`` of its events."""
    run = named(request.wire.run, stamp)
    now = _now(run, stamp)
    written = tokens_sent(request, completion, stamp, sent)
    stretch = steps.stretch(request, completion, stamp, now, (0.0, 0.0), failure, written)
    run = structs.replace(run, stretches=(*run.stretches, stretch))
    closing = _written(request, completion, stamp).closing(run, "failed", now, sent)
    return closing + event(b"thread.run.failed", runs.run_object(run, now)) + DONE


def cancelled(
    request: Request, completion: Completion, stamp: Stamp, run: RunRecord, sent: int
) -> bytes:
    """The events that end a stream whose run was cancelled after ``sent`` of its events; ``run``
    is as it is stored since."""
    at = run.cancelled or 0.0
    writer = _written(request, completion, stamp)
    return b"".join(
        (
            event(b"thread.run.cancelling", runs.run_object(run, at)),
            writer.closing(run, "cancelled", at, sent),
            event(b"thread.run.cancelled", runs.run_object(run, at + CANCELLING)),
            DONE,
        )
    )


def _now(run: RunRecord, stamp: Stamp) -> int:
    """The time that a stretch of a run shows: not before the one before it has ended."""
    return max([stamp.created, *(math.ceil(one.ends) for one in run.stretches)])


def event(name: bytes, data: Object) -> bytes:
    """One event, framed."""
    return sse.event(orjson.dumps(data), name)


class EventWriter:
    """Writes the events of one stretch of a run: its runs of events so far, and the beat of each.

    ``run`` is the run with that stretch; all that has a time happens at ``now``.
    """

    def __init__(self, run: RunRecord, stretch: RunStretch, now: int) -> None:
        self._run = run
        self._stretch = stretch
        self._now = now
        self._runs: list[SingleEvent | SimilarEvents] = []
        self._beats: list[BeatRun] = []
        self._events = 0
        # Each step with the numbers of its first event and of the first one after it.
        self._steps: list[tuple[PlannedStep, int, int]] = []

    def script(self) -> StreamScript:
        """All that was written."""
        return StreamScript(NamedEvents(self._runs), BeatRuns(self._beats))

    def tokens(self, sent: int) -> int:
        """How many tokens the first ``sent`` events have told."""
        opening = self._steps[0][1] if self._steps else self._events
        return 1 + BeatRuns(self._beats)[sent - 1] if sent > opening else 0

    def closing(self, run: RunRecord, status: StepStatus, now: float, sent: int) -> bytes:
        """The events that end the step which is under way after ``sent`` events."""
        for step, first, stop in self._steps:
            if first < sent and (sent < stop or step.record.ends is None):
                return self._closed(run, step, status, now, self.tokens(sent))
        return b""

    def _closed(
        self, run: RunRecord, step: PlannedStep, status: StepStatus, now: float, written: int
    ) -> bytes:
        record = step.record
        at = StepMoment(record, self._stretch, now, status, now, 1.0)
        frames = b""
        if record.message_id is not None:
            text = steps.text_until(step, written)
            at = structs.replace(at, step=structs.replace(record, text=text))
            frames = event(b"thread.message.incomplete", runs.message_object(run, at, {}))
        shown = runs.step_object(run, at)
        return frames + event(b"thread.run.step." + status.encode(), shown)

    def frame(self, beat: int, frame: bytes) -> None:
        """One event that is framed already, due with that beat."""
        self._add(SingleEvent(frame), (beat,), 0)

    def _add(self, run: SingleEvent | SimilarEvents, numbers: Sequence[int], offset: int) -> None:
        self._runs.append(run)
        self._beats.append((numbers, offset))
        self._events += len(numbers)

    def event(self, beat: int, name: bytes, data: Object) -> None:
        """One event, due with that beat."""
        self.frame(beat, event(name, data))

    def run(self, beat: int, name: bytes, status: Status, run: RunRecord) -> None:
        """The run, which works."""
        self.event(beat, b"thread.run." + name, runs.open_object(run, status, self._now))

    def submitted(self, run: RunRecord) -> None:
        """The steps that waited for the outputs which have come are done."""
        stretch = run.stretches[-1]
        for step in stretch.steps:
            if step.ends is None:
                begun = stretch.began + step.begins
                at = StepMoment(step, stretch, begun, "completed", self._now, 1.0)
                self.event(START, b"thread.run.step.completed", runs.step_object(run, at))

    def step(self, step: PlannedStep) -> None:
        """One step from its beginning to its end; one that waits for outputs stays open."""
        first = self._events
        self._step(step, step.first, b"created", "in_progress")
        self._step(step, step.first, b"in_progress", "in_progress")
        if not step.segments:
            self._tool(step)
        elif step.record.message_id is None:
            self._calls(step)
        else:
            self._message(step, step.segments[0])
        if step.record.ends is not None:
            self._step(step, step.last, b"completed", "completed")
        self._steps.append((step, first, self._events))

    def _moment(self, step: PlannedStep, status: StepStatus) -> StepMoment:
        return StepMoment(step.record, self._stretch, self._now, status, self._now, 1.0)

    def _step(self, step: PlannedStep, beat: int, name: bytes, status: StepStatus) -> None:
        shown = runs.step_object(self._run, self._moment(step, status))
        if status == "in_progress" and step.record.message_id is None:
            shown["step_details"] = {"type": "tool_calls", "tool_calls": []}
        self.event(beat, b"thread.run.step." + name, shown)

    def _message(self, step: PlannedStep, segment: Segment) -> None:
        name = step.record.message_id or ""
        opened = runs.message_object(self._run, self._moment(step, "in_progress"), {})
        self.event(step.first, b"thread.message.created", opened)
        self.event(step.first, b"thread.message.in_progress", opened)
        refusal = isinstance(segment, RefusalSegment)
        before = b'event: thread.message.delta\n%b{"id":"%b","object":"thread.message.delta",' % (
            sse.HEAD, name.encode(),
        )  # fmt: skip
        self._deltas(before, _refusals() if refusal else _texts(), segment.generated, step.first)
        closed = runs.message_object(self._run, self._moment(step, "completed"), {})
        self.event(step.last, b"thread.message." + closed["status"].encode(), closed)

    def _deltas(self, before: bytes, tails: sse.Tails, text: GeneratedText, offset: int) -> None:
        """The pieces of a text, an event each. The first one has the annotations."""
        if not text.pieces:
            return
        annotated = int(tails is _texts())
        if annotated:
            first = SimilarEvents(before, [_text(text.pieces[0], True)])
            self._add(first, text.ends[:1], offset)
        rest = SimilarEvents(before, sse.PieceTails(tails, text.pieces, annotated))
        self._add(rest, text.ends[annotated:], offset)

    def _calls(self, step: PlannedStep) -> None:
        offset = step.first
        for place, segment in enumerate(step.segments):
            assert isinstance(segment, ToolCallSegment)
            call = step.record.calls[place]
            opened = {"name": segment.name, "arguments": "", "output": None}
            self._called(step, offset, {"index": place, **call, "function": opened})
            before = b"event: thread.run.step.delta\n%b%b" % (
                sse.HEAD,
                orjson.dumps(_delta(step, {"index": place, "type": "function"}))[:-5],
            )
            made = [
                b',"function":{"arguments":%b}}]}}}\n\n' % orjson.dumps(piece)
                for piece in segment.generated.pieces
            ]
            if made:
                self._add(SimilarEvents(before, made), segment.generated.ends, offset)
            offset += segment.generated.tokens

    def _tool(self, step: PlannedStep) -> None:
        """A tool that the service runs: its input, then its results."""
        call = step.record.calls[0]
        kind = call["type"]
        if kind == "code_interpreter":
            outputs = [
                {"index": place, **output} for place, output in enumerate(call[kind]["outputs"])
            ]
            opened = {**call, kind: {"input": call[kind]["input"], "outputs": []}}
            self._called(step, 0, {"index": 0, **opened})
            self._called(step, 0, {"index": 0, "type": kind, kind: {"outputs": outputs}})
        else:
            self._called(step, 0, {"index": 0, **call, kind: {}})

    def _called(self, step: PlannedStep, beat: int, call: Object) -> None:
        self.event(beat, b"thread.run.step.delta", _delta(step, call))


def _delta(step: PlannedStep, call: Object) -> Object:
    details = {"type": "tool_calls", "tool_calls": [call]}
    return {
        "id": step.record.id,
        "object": "thread.run.step.delta",
        "delta": {"step_details": details},
    }


@lru_cache(maxsize=1)
def _texts() -> sse.Tails:
    return sse.Tails(lambda piece: _text(piece, False))


@lru_cache(maxsize=1)
def _refusals() -> sse.Tails:
    return sse.Tails(_refusal)


def _text(piece: str, first: bool) -> bytes:
    annotations = b',"annotations":[]' if first else b""
    return b'"delta":{"content":[{"index":0,"type":"text","text":{"value":%b%b}}]}}\n\n' % (
        orjson.dumps(piece), annotations,
    )  # fmt: skip


def _refusal(piece: str) -> bytes:
    return b'"delta":{"content":[{"index":0,"type":"refusal","refusal":%b}]}}\n\n' % orjson.dumps(
        piece
    )
