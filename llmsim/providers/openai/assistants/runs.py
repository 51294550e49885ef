"""Assistants: a run as it is stored, and the run, its steps and its messages as they are shown at
any time (``types.beta.threads.run``, ``types.beta.threads.runs.run_step``).

What is stored says what was planned and what was done to the run since. What is shown follows
from that and the time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct, structs

from llmsim.core.progress import Outcome, Progress, Status, Stretch
from llmsim.providers.openai.lists import Object

StepStatus: TypeAlias = Literal["in_progress", "completed", "cancelled", "failed", "expired"]

LIFETIME = 600.0
"""Seconds after which the service gives up on a run that works; what is planned may be longer."""

LATEST_POLL = 1000
"""Milliseconds a client waits at most before it looks again."""


class RunUsage(Struct, frozen=True):
    """Tokens of one stretch of a run."""

    prompt: int
    completion: int


class RunError(Struct, frozen=True):
    """Why a run failed."""

    code: Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
    message: str


class RunStepRecord(Struct, frozen=True):
    """One step: a message, or calls of tools.

    Times are in seconds after its stretch began; ``ends`` is None where something else ends it:
    the outputs of its calls, or what makes the run fail. ``calls`` are as the step shows them.
    ``cut`` is why the message is incomplete.
    """

    id: str
    begins: float
    ends: float | None
    message_id: str | None = None
    text: str = ""
    refusal: bool = False
    cut: Literal["max_tokens", "content_filter"] | None = None
    calls: tuple[Object, ...] = ()
    usage: RunUsage = RunUsage(0, 0)


class RunStretch(Struct, frozen=True):
    """From the creation of a run, or the submission of outputs, to the next time it stops."""

    began: float
    starts: float
    ends: float
    outcome: Outcome
    steps: tuple[RunStepRecord, ...]
    usage: RunUsage
    incomplete: Literal["max_completion_tokens", "max_prompt_tokens"] | None = None
    error: RunError | None = None


class RunRecord(Struct, frozen=True):
    """A run. ``echo`` are the members of the run object that never change; ``outputs`` what came
    for each call, by its id; ``patience`` how many seconds it waits for them."""

    id: str
    thread_id: str
    assistant_id: str
    created: int
    echo: Object
    metadata: dict[str, str]
    patience: float
    stretches: tuple[RunStretch, ...] = ()
    outputs: dict[str, str] = {}
    cancelled: float | None = None

    @property
    def progress(self) -> Progress:
        """What decides about its status."""
        stretches = tuple(
            Stretch(one.began, one.starts, one.ends, one.outcome) for one in self.stretches
        )
        return Progress(stretches, self.patience, self.cancelled)


_decoder = msgspec.json.Decoder(RunRecord)


def load(value: bytes) -> RunRecord:
    """A run from the store."""
    return _decoder.decode(value)


def dump(run: RunRecord) -> bytes:
    """A run for the store."""
    return msgspec.json.encode(run)


def required_calls(run: RunRecord) -> list[Object]:
    """The calls of the latest stretch that need outputs."""
    return [
        call
        for step in run.stretches[-1].steps
        for call in step.calls
        if call["type"] == "function"
    ]


def poll_after(remaining: float | None) -> int:
    """After how many milliseconds a client had better look again at a run whose status changes
    in so many seconds; None for never."""
    if remaining is None:
        return LATEST_POLL
    return max(1, min(math.ceil(remaining * 1e3), LATEST_POLL))


def run_object(run: RunRecord, now: float) -> Object:
    """The run as it is at ``now``."""
    progress = run.progress
    moment = progress.at(now)
    status, since = moment.status, int(moment.since)
    latest, started = run.stretches[-1], run.stretches[0].starts
    stopped = progress.stopped(now)
    begun = now >= started and (stopped is None or stopped >= started)
    shown = _object(run, status, int(started) if begun else None, _expires(run, status))
    if status == "requires_action":
        shown["required_action"] = _required(run)
    if not moment.active:
        shown["usage"] = _usage(run.stretches)
    if status in _ENDED_AT:
        shown[_ENDED_AT[status]] = since
    if status == "failed":
        shown["last_error"] = _error(latest)
    if status == "incomplete":
        shown["incomplete_details"] = {"reason": latest.incomplete}
    return shown


_ENDED_AT: dict[Status, str] = {
    "cancelled": "cancelled_at",
    "failed": "failed_at",
    "completed": "completed_at",
    "incomplete": "completed_at",
}
"""Which time a run that is over shows; one that expired has none."""


def open_object(run: RunRecord, status: Status, now: int) -> Object:
    """The run before its stretch is planned, as the first events of a stream show it."""
    started = now if status == "in_progress" else None
    if run.stretches:
        started = int(run.stretches[0].starts)
    return _object(run, status, started, now + int(LIFETIME))


def _object(run: RunRecord, status: Status, started: int | None, expires: int | None) -> Object:
    """A run of which nothing has come yet."""
    return {
        "id": run.id,
        "object": "thread.run",
        "created_at": run.created,
        "assistant_id": run.assistant_id,
        "thread_id": run.thread_id,
        "status": status,
        "started_at": started,
        "expires_at": expires,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "required_action": None,
        "last_error": None,
        "incomplete_details": None,
        "usage": None,
        "metadata": run.metadata,
        **run.echo,
    }


def _expires(run: RunRecord, status: Status) -> int | None:
    latest = run.stretches[-1]
    if status == "requires_action":
        return int(latest.ends + run.patience)
    if status in ("queued", "in_progress"):
        return int(max(latest.began + LIFETIME, latest.ends))
    return None


def _required(run: RunRecord) -> Object:
    calls = [
        {
            "id": call["id"],
            "type": "function",
            "function": {key: call["function"][key] for key in ("name", "arguments")},
        }
        for call in required_calls(run)
    ]
    return {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": calls}}


def _error(stretch: RunStretch) -> Object | None:
    return None if stretch.error is None else structs.asdict(stretch.error)


def _usage(stretches: tuple[RunStretch, ...]) -> Object:
    prompt = sum(one.usage.prompt for one in stretches)
    completion = sum(one.usage.completion for one in stretches)
    return usage_object(RunUsage(prompt, completion))


def usage_object(usage: RunUsage) -> Object:
    """Token counts as runs and steps show them."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }


class StepMoment(Struct, frozen=True):
    """A step as it is at some time: since when it is there, its status, and since when that is
    so. ``share`` is how much of it is done, 0 to 1."""

    step: RunStepRecord
    stretch: RunStretch
    begun: float
    status: StepStatus
    since: float
    share: float


def steps_at(run: RunRecord, now: float) -> Iterator[StepMoment]:
    """The steps that have begun, oldest first."""
    progress = run.progress
    stopped = progress.stopped(now)
    how = _ending(progress.at(now).status)
    for place, stretch in enumerate(run.stretches):
        following = run.stretches[place + 1].began if place + 1 < len(run.stretches) else math.inf
        for step in stretch.steps:
            begun = stretch.began + step.begins
            if begun > now or (stopped is not None and begun > stopped):
                continue
            end = following if step.ends is None else stretch.began + step.ends
            until = now if stopped is None else stopped
            share = 1.0 if end <= until else _share(begun, stretch.ends, until)
            if end <= until:
                yield StepMoment(step, stretch, begun, "completed", end, share)
            elif stopped is not None:
                yield StepMoment(step, stretch, begun, how, stopped, share)
            else:
                yield StepMoment(step, stretch, begun, "in_progress", begun, share)


def _share(begun: float, end: float, now: float) -> float:
    return min(1.0, (now - begun) / (end - begun)) if end > begun else 1.0


def _ending(status: Status) -> StepStatus:
    """How steps end that are not done when their run ends with that status."""
    match status:
        case "failed" | "expired":
            return status
    return "cancelled"


def step_object(run: RunRecord, at: StepMoment, contents: bool = False) -> Object:
    """A step. ``contents`` wants what a file search found as well."""
    step, status, since = at.step, at.status, int(at.since)
    failed = status == "failed" and at.stretch.error is not None
    return {
        "id": step.id,
        "object": "thread.run.step",
        "created_at": int(at.begun),
        "run_id": run.id,
        "assistant_id": run.assistant_id,
        "thread_id": run.thread_id,
        "type": "tool_calls" if step.message_id is None else "message_creation",
        "status": status,
        "cancelled_at": since if status == "cancelled" else None,
        "completed_at": since if status == "completed" else None,
        "expired_at": since if status == "expired" else None,
        "failed_at": since if status == "failed" else None,
        "expires_at": None,
        "last_error": _error(at.stretch) if failed else None,
        "step_details": _details(run, step, contents),
        "usage": None if status == "in_progress" else usage_object(step.usage),
        "metadata": {},
    }


def _details(run: RunRecord, step: RunStepRecord, contents: bool) -> Object:
    if step.message_id is not None:
        return {"type": "message_creation", "message_creation": {"message_id": step.message_id}}
    calls = [_call(call, run.outputs, contents) for call in step.calls]
    return {"type": "tool_calls", "tool_calls": calls}


def _call(call: Object, outputs: dict[str, str], contents: bool) -> Object:
    if call["type"] == "function":
        return {**call, "function": {**call["function"], "output": outputs.get(call["id"])}}
    if call["type"] == "file_search" and not contents:
        search = call["file_search"]
        results = [
            {key: value for key, value in result.items() if key != "content"}
            for result in search["results"]
        ]
        return {**call, "file_search": {**search, "results": results}}
    return call


def message_object(run: RunRecord, at: StepMoment, metadata: dict[str, str]) -> Object:
    """The message of a step. It has its text once it is complete, or will never be."""
    step, status, since = at.step, at.status, int(at.since)
    reason: str | None = None
    if status not in ("in_progress", "completed"):
        reason = f"run_{status}"
    elif status == "completed":
        reason = step.cut
    shown = "in_progress" if status == "in_progress" else "incomplete" if reason else "completed"
    text = step.text if status == "completed" else step.text[: int(len(step.text) * at.share)]
    return {
        "id": step.message_id,
        "object": "thread.message",
        "created_at": int(at.begun),
        "thread_id": run.thread_id,
        "status": shown,
        "incomplete_details": {"reason": reason} if reason else None,
        "completed_at": since if shown == "completed" else None,
        "incomplete_at": since if shown == "incomplete" else None,
        "role": "assistant",
        "content": [] if shown == "in_progress" else content(text, step.refusal),
        "assistant_id": run.assistant_id,
        "run_id": run.id,
        "attachments": [],
        "metadata": metadata,
    }


def content(text: str, refusal: bool) -> list[Object]:
    """The content of an assistant's message."""
    if refusal:
        return [{"type": "refusal", "refusal": text}]
    return [{"type": "text", "text": {"value": text, "annotations": []}}]


def echo(members: dict[str, Any], assistant: Object, combined: str) -> Object:
    """The members of a run object that a request and its assistant decide. ``combined`` are all
    instructions."""

    def value(key: str, default: Any) -> Any:
        for source in (members, assistant):
            if source.get(key) is not None:
                return source[key]
        return default

    strategy = members.get("truncation_strategy") or {"type": "auto"}
    shown = {
        "model": value("model", ""),
        "instructions": combined,
        "tools": value("tools", []),
        "temperature": value("temperature", 1.0),
        "top_p": value("top_p", 1.0),
        "max_prompt_tokens": members.get("max_prompt_tokens"),
        "max_completion_tokens": members.get("max_completion_tokens"),
        "truncation_strategy": {"last_messages": None, **strategy},
        "tool_choice": members.get("tool_choice") or "auto",
        "parallel_tool_calls": members.get("parallel_tool_calls") is not False,
        "response_format": value("response_format", "auto"),
        "reasoning_effort": value("reasoning_effort", None),
    }
    if shown["reasoning_effort"] is None:
        del shown["reasoning_effort"]
    return shown
