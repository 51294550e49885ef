"""Runs of assistants: how they begin and go on, and how they stand.

A run is planned as any other answer is, and what was planned is stored before anything is sent.
From then on its status follows from that and the clock, in every worker, until someone cancels it
or submits outputs.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import orjson
from msgspec import structs

from llmsim.core import Completion, ConnectionEnd, Plan, Request
from llmsim.core.errors import invalid
from llmsim.core.state import Objects, ObjectStore
from llmsim.engine.compose import ModelSettings
from llmsim.engine.faults.fault_context import BROKEN
from llmsim.engine.tokens.truncation import truncated
from llmsim.pipeline.context import Call
from llmsim.providers.openai import lists
from llmsim.providers.openai.assistants import conversion, events, params
from llmsim.providers.openai.assistants import objects as wire_objects
from llmsim.providers.openai.assistants import runs as wire_runs
from llmsim.providers.openai.assistants import steps as wire_steps
from llmsim.providers.openai.assistants.objects import ASSISTANT, MESSAGE, RUN, THREAD
from llmsim.providers.openai.assistants.runs import RunRecord, RunStretch
from llmsim.providers.openai.lists import Object, Paging
from llmsim.server.pipeline_state import offload
from llmsim.server.resources.assistant_threads import (
    MessageReader,
    active_run,
    add_messages,
    add_thread,
    add_written,
)
from llmsim.server.resources.assistants import found, loads, not_found, page, token
from llmsim.server.resources.run_streams import RunStreams
from llmsim.server.resources.run_times import RunTimes

MOST_MESSAGES = 1000
"""The latest messages of a thread that a run is told of."""

EARLY = 0.002
"""Seconds by which a run is stored as begun before its request: a client that has seen the end of
its stream finds it ended."""


class AssistantRuns:
    """The runs of all workers. Unknown ids raise BadRequest.

    ``most_threads`` bounds the threads that are kept, ``patience`` is how many seconds a run
    waits for the outputs of its tools. ``streams`` are those of this worker; None where nobody
    streams.
    """

    def __init__(
        self,
        store: ObjectStore,
        most_threads: int,
        patience: float,
        settings: Callable[[str], Awaitable[ModelSettings]],
        clock: Callable[[], float] = time.time,
        streams: RunStreams | None = None,
    ) -> None:
        self.store = store
        self.most_threads = most_threads
        self.patience = patience
        self.settings = settings
        self.clock = clock
        self.streams = streams

    async def get(self, thread: str, name: str) -> tuple[bytes, int | None]:
        """A run, and after how many milliseconds to look again; None if it is over."""
        now = self.clock()
        run = await self.store.read(lambda objects: _run(objects, thread, name))
        return _answer(run, now)

    async def page(self, thread: str, paging: Paging) -> bytes:
        """A page of the runs of a thread."""
        now = self.clock()

        def shown(_: str, value: bytes) -> Object:
            return wire_runs.run_object(wire_runs.load(value), now)

        def work(objects: Objects) -> bytes:
            found(objects, THREAD, thread)
            return lists.envelope(page(objects, RUN, thread, paging, shown), paging.limit)

        return await self.store.read(work)

    async def update(self, thread: str, name: str, metadata: dict[str, str] | None) -> bytes:
        """Replace the metadata; gives the run."""

        def work(objects: Objects) -> RunRecord:
            run = _run(objects, thread, name)
            if metadata is not None:
                run = structs.replace(run, metadata=metadata)
                objects.replace(RUN, name, wire_runs.dump(run))
            return run

        return orjson.dumps(wire_runs.run_object(await self.store.write(work), self.clock()))

    async def cancel(self, thread: str, name: str) -> tuple[bytes, int | None]:
        """Cancel a run that is active; gives the run, and when to look again."""
        now = self.clock()

        def work(objects: Objects) -> RunRecord:
            run = _run(objects, thread, name)
            cancelled = run.progress.cancel(now)
            if cancelled is None:
                status = run.progress.at(now).status
                raise invalid(f"Cannot cancel run with status '{status}'.")
            run = structs.replace(run, cancelled=now)
            objects.replace(RUN, name, wire_runs.dump(run))
            begun = {at.step.id for at in wire_runs.steps_at(run, now)}
            for step in run.stretches[-1].steps:
                if step.message_id is not None and step.id not in begun:
                    objects.delete(MESSAGE, step.message_id)
            return run

        run = await self.store.write(work)
        if self.streams is not None:
            self.streams.announce()
        return _answer(run, now)

    async def steps(self, thread: str, name: str, paging: Paging, contents: bool) -> bytes:
        """A page of the steps of a run."""
        run = await self.store.read(lambda objects: _run(objects, thread, name))
        listed = [
            wire_runs.step_object(run, at, contents) for at in wire_runs.steps_at(run, self.clock())
        ]
        return lists.page(listed, paging)

    async def step(self, thread: str, name: str, step: str, contents: bool) -> bytes:
        """One step."""
        run = await self.store.read(lambda objects: _run(objects, thread, name))
        for at in wire_runs.steps_at(run, self.clock()):
            if at.step.id == step:
                return orjson.dumps(wire_runs.step_object(run, at, contents))
        raise not_found("run step", step)

    def sent(self, call: Call, plan: Plan, began: float) -> bytes | Plan | None:
        """What a client is answered with once its run is stored: one that polls gets the run, a
        stream ends when the run is cancelled."""
        request = call.request
        assert plan.completion is not None
        if not request.stream:
            if plan.sequence is not None:
                call.replanned = self._times(call, plan, began)
            return call.endpoint.codec.plain(request, plan.completion, call.stamp)
        if self.streams is None or plan.ending is not ConnectionEnd.WHOLE:
            return None
        return self.streams.followed(call, plan, began)

    def _times(self, call: Call, plan: Plan, began: float) -> RunTimes:
        """Who is told when a run's tokens are there."""

        def timed(run: RunRecord, times: tuple[float, float]) -> RunRecord:
            return structs.replace(
                run, stretches=(*run.stretches[:-1], _stretch(call, plan, began, times))
            )

        name = events.named(call.request.wire.run, call.stamp).id
        return RunTimes(self.store, name, began, timed)

    async def within_window(self, request: Request) -> Request:
        """The request without the oldest messages that do not fit the model, or the run's own
        limit. Raises BadRequest for a model that is not served."""
        settings = await self.settings(request.model)
        room = request.max_tokens or 1
        most = request.wire.run.echo["max_prompt_tokens"]
        windows = [settings.model.context_window, None if most is None else most + room]
        known = [window for window in windows if window]
        if not known:
            return request
        return await offload(truncated, request, settings.tokenizer, min(known))


class NewRun:
    """What ``POST …/runs`` remembers, for one request: ``thread`` None creates one with the run.

    It is made when the request arrives.
    """

    def __init__(self, runs: AssistantRuns, thread: str | None) -> None:
        self._runs = runs
        self._thread = thread
        self._began = runs.clock() - EARLY
        self._messages: list[Object] = []

    async def recall(self, request: Request) -> Request:
        """The request with assistant and thread. Raises BadRequest for those that are not there,
        or a thread that is locked."""
        sent, members = request.wire
        now = int(self._runs.clock())
        thread: Object | None = None
        name = self._thread
        added = sent.additional_messages and members["additional_messages"]
        if name is None:
            made = members.get("thread") or {}
            thread = wire_objects.thread(made, token(), now)
            name = thread["id"]
            added = made.get("messages")
        assert name is not None
        self._messages = wire_objects.messages(added, name, token, now)
        assistant, listed = await self._runs.store.read(
            lambda objects: self._context(objects, sent.assistant_id, name)
        )
        run = conversion.new_run(sent, members, assistant, name, self._runs.patience)
        messages = [*listed, *self._messages]
        made_request = conversion.request(run, messages, request.stream, thread)
        return await self._runs.within_window(made_request)

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | Plan | None:
        """Store the run with what is planned. Gives the run to answer with at once where no
        stream is wanted. Raises BadRequest if the thread has gone or been locked meanwhile."""
        wire = call.request.wire
        run = _planned(call, plan, self._began)

        def work(objects: Objects) -> None:
            if wire.thread is not None:
                add_thread(objects, wire.thread, self._runs.most_threads)
            else:
                self._check(objects, run.thread_id)
            add_messages(objects, self._messages)
            add_written(objects, run)
            objects.put(RUN, run.id, wire_runs.dump(run), run.thread_id)

        await self._runs.store.write(work)
        return self._runs.sent(call, plan, self._began)

    def _context(
        self, objects: Objects, assistant: str, thread: str
    ) -> tuple[Object, list[Object]]:
        """The assistant, and the messages of the thread, oldest first."""
        made = loads(found(objects, ASSISTANT, assistant))
        if self._thread is None:
            return made, []
        self._check(objects, thread)
        return made, _messages(objects, thread, self._runs.clock())

    def _check(self, objects: Objects, thread: str) -> None:
        """Raises BadRequest for a thread that takes no run now."""
        found(objects, THREAD, thread)
        run = active_run(objects, thread, self._runs.clock())
        if run is not None:
            raise invalid(f"Thread {thread} already has an active run {run.id}.")


class SubmittedOutputs:
    """What ``POST …/submit_tool_outputs`` remembers, for one request, made when it arrives."""

    def __init__(self, runs: AssistantRuns, thread: str, run: str) -> None:
        self._runs = runs
        self._thread = thread
        self._run = run
        self._began = runs.clock() - EARLY

    async def recall(self, request: Request) -> Request:
        """The request with the run it continues. Raises BadRequest for one that waits for
        nothing, and for outputs that are not those it waits for."""
        sent: params.ToolOutputs = request.wire
        run, listed = await self._runs.store.read(self._context)
        run = conversion.with_outputs(run, sent)
        made = conversion.request(run, listed, request.stream)
        return await self._runs.within_window(made)

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | Plan | None:
        """Store how the run goes on. Gives the run to answer with at once where no stream is
        wanted. Raises BadRequest if it no longer waits."""
        run = _planned(call, plan, self._began)

        def work(objects: Objects) -> None:
            now = self._waiting(objects)
            kept = structs.replace(run, metadata=now.metadata)
            objects.replace(RUN, run.id, wire_runs.dump(kept))
            add_written(objects, run)

        await self._runs.store.write(work)
        return self._runs.sent(call, plan, self._began)

    def _context(self, objects: Objects) -> tuple[RunRecord, list[Object]]:
        """The run, and the messages of its thread that are older than it."""
        run = self._waiting(objects)
        listed = _messages(objects, self._thread, self._runs.clock())
        return run, [one for one in listed if one["run_id"] != run.id]

    def _waiting(self, objects: Objects) -> RunRecord:
        """The run, which waits for outputs. Raises BadRequest if it does not."""
        run = _run(objects, self._thread, self._run)
        status = run.progress.at(self._runs.clock()).status
        if status != "requires_action":
            raise invalid(f'Runs in status "{status}" do not accept tool outputs.')
        return run


def _planned(call: Call, plan: Plan, began: float) -> RunRecord:
    """The run with the stretch that is planned."""
    run = events.named(call.request.wire.run, call.stamp)
    stretch = _stretch(call, plan, began, (plan.ttft, plan.total))
    return structs.replace(run, stretches=(*run.stretches, stretch))


def _stretch(call: Call, plan: Plan, began: float, times: tuple[float, float]) -> RunStretch:
    """The stretch that is planned, with these times: TTFT and total."""
    completion = plan.completion
    assert completion is not None
    failure = None if plan.failure is BROKEN else plan.failure
    written = 0 if failure is None else _written(call, plan, completion)
    return wire_steps.stretch(call.request, completion, call.stamp, began, times, failure, written)


def _written(call: Call, plan: Plan, completion: Completion) -> int:
    """How many tokens of a completion are written before it fails."""
    if plan.stream:
        return events.tokens_sent(call.request, completion, call.stamp, len(plan.due) - 1)
    whole = plan.due[-1] - plan.ttft
    share = (plan.total - plan.ttft) / whole if whole else 1.0
    return int(share * completion.choices[0].beats)


def _answer(run: RunRecord, now: float) -> tuple[bytes, int | None]:
    changes = run.progress.changes(now)
    after = None if changes is None else wire_runs.poll_after(changes - now)
    return orjson.dumps(wire_runs.run_object(run, now)), after


def _run(objects: Objects, thread: str, name: str) -> RunRecord:
    """A run of that thread. Raises BadRequest for one that is not there."""
    found(objects, THREAD, thread)
    run = wire_runs.load(found(objects, RUN, name))
    if run.thread_id != thread:
        raise not_found(RUN, name)
    return run


def _messages(objects: Objects, thread: str, now: float) -> list[Object]:
    """The latest messages of a thread, oldest first."""
    reader = MessageReader(objects, now)
    paging = Paging(MOST_MESSAGES)
    listed = page(objects, MESSAGE, thread, paging, reader.shown)[:MOST_MESSAGES]
    return list(reversed(listed))
