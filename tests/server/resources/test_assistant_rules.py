"""Threads and runs, whatever is done to them in whatever order, against a simple model."""

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from llmsim.core.errors import BadRequest
from llmsim.core.progress import CANCELLING
from tests.effort import examples
from tests.server.assisting import PATIENCE, WEATHER, assistant_world, outputs

WORKERS = st.sampled_from((0, 1))
PLACES = st.integers(0, 2)
OVER = ("completed", "cancelled", "expired")


class ModelRun:
    """A run as the model has it: it is where the clock and what was done to it have brought it."""

    def __init__(self, name: str, calls: bool, began: float, ttft: float, total: float) -> None:
        self.name = name
        self.calls = calls
        self.start(began, ttft, total)
        self.cancelled: float | None = None
        self.answers = 0

    def start(self, began: float, ttft: float, total: float) -> None:
        self.first, self.end = began + ttft, began + total

    def status(self, now: float) -> str:
        if self.cancelled is not None:
            return "cancelling" if now < self.cancelled + CANCELLING else "cancelled"
        if now < self.first:
            return "queued"
        if now < self.end:
            return "in_progress"
        if not self.calls:
            return "completed"
        return "requires_action" if now < self.end + PATIENCE else "expired"

    def wrote(self, now: float) -> bool:
        """Whether it has a message by now."""
        if self.calls:
            return False
        return min(now, now if self.cancelled is None else self.cancelled) >= self.first


class ModelThread:
    """A thread: the texts that were added, and its runs, each where it stands among them."""

    def __init__(self, name: str, texts: list[str]) -> None:
        self.name = name
        self.entries: list[str | ModelRun] = list(texts)

    @property
    def latest(self) -> ModelRun | None:
        runs = [one for one in self.entries if isinstance(one, ModelRun)]
        return runs[-1] if runs else None

    def locked(self, now: float) -> bool:
        return self.latest is not None and self.latest.status(now) not in OVER

    def roles(self, now: float) -> list[str]:
        shown = []
        for one in self.entries:
            if isinstance(one, str):
                shown.append(f"user {one}")
            elif one.wrote(now):
                shown.append(f"assistant {one.name}")
        return shown


class Rules(RuleBasedStateMachine):
    """Everything is done through one of two workers and looked at through the other."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.loop = asyncio.new_event_loop()
        self.world = self.stack.enter_context(assistant_world())
        self.assistants = {
            calls: self.do(self.world.assistant(tools=[WEATHER] if calls else []))
            for calls in (False, True)
        }
        self.known: list[ModelThread] = []
        self.gone: list[ModelThread] = []

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def refused(self, work: Any, message: str) -> None:
        with pytest.raises(BadRequest, match=message):
            self.do(work)

    @initialize()
    def begin(self) -> None:
        self.create_thread(["a"], 0)

    def thread(self, place: int) -> ModelThread:
        """One of the latest threads."""
        return self.known[-1 - place % min(len(self.known), 2)]

    @rule(texts=st.lists(st.sampled_from("abc"), max_size=3), worker=WORKERS)
    def create_thread(self, texts: list[str], worker: int) -> None:
        name = self.do(self.world.thread(*texts, worker=worker))
        self.known.append(ModelThread(name, texts))

    @rule(place=PLACES, text=st.sampled_from("def"), worker=WORKERS)
    def add_message(self, place: int, text: str, worker: int) -> None:
        thread = self.thread(place)
        added = self.world.add(thread.name, text, worker)
        if thread.locked(self.world.now):
            self.refused(added, "Can't add messages")
        else:
            self.do(added)
            thread.entries.append(text)

    @rule(place=PLACES, calls=st.booleans(), stream=st.booleans(), worker=WORKERS)
    def create_run(self, place: int, calls: bool, stream: bool, worker: int) -> None:
        thread = self.thread(place)
        made = self.world.create_run(
            self.assistants[calls], thread.name, worker, stream=stream, max_completion_tokens=200
        )
        if thread.locked(self.world.now):
            self.refused(made, "already has an active run")
            return
        answer = self.do(made)
        name = answer[0][1]["id"] if stream else answer["id"]
        plan = self.world.plans[-1]
        thread.entries.append(ModelRun(name, calls, self.world.began, plan.ttft, plan.total))

    @rule(place=PLACES, worker=WORKERS)
    def cancel(self, place: int, worker: int) -> None:
        thread = self.thread(place)
        run = thread.latest
        if run is None:
            return
        status = run.status(self.world.now)
        cancelled = self.world.cancel(thread.name, run.name, worker)
        if status in (*OVER, "cancelling"):
            self.refused(cancelled, f"Cannot cancel run with status '{status}'")
        else:
            assert self.do(cancelled)["status"] == "cancelling"
            run.cancelled = self.world.now

    @rule(place=PLACES, worker=WORKERS)
    def submit(self, place: int, worker: int) -> None:
        thread = self.thread(place)
        run = thread.latest
        if run is None:
            return
        status = run.status(self.world.now)
        if status != "requires_action":
            self.refused(self.world.submit(thread.name, run.name, {}, worker), f'"{status}"')
            return
        shown = self.do(self.world.run(thread.name, run.name))
        self.refused(self.world.submit(thread.name, run.name, {"x": ""}, worker), "Expected")
        self.do(self.world.submit(thread.name, run.name, outputs(shown), worker))
        plan = self.world.plans[-1]
        run.calls = False
        run.start(self.world.began, plan.ttft, plan.total)

    @rule(place=PLACES, worker=WORKERS)
    def delete_thread(self, place: int, worker: int) -> None:
        thread = self.thread(place)
        if len(self.known) < 2:
            return
        self.do(self.world.workers[worker].threads.delete(thread.name))
        self.known.remove(thread)
        self.gone.append(thread)

    @rule(seconds=st.sampled_from((0.01, 0.5, 1.0, 5.0, 30.0, PATIENCE, 100.0)))
    def wait(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(place=PLACES)
    def wait_for_a_change(self, place: int) -> None:
        run = self.thread(place).latest
        if run is not None:
            times = [run.first, run.end, run.end + PATIENCE]
            if run.cancelled is not None:
                times.append(run.cancelled + CANCELLING)
            self.world.now = min(
                [time for time in times if time > self.world.now], default=self.world.now
            )

    @invariant()
    def both_workers_tell_what_the_model_has(self) -> None:
        now = self.world.now
        for thread in self.known:
            for worker in (0, 1):
                listed = self.do(self.world.messages(thread.name, worker))
                shown = [
                    f"user {one['content'][0]['text']['value']}"
                    if one["role"] == "user"
                    else f"assistant {one['run_id']}"
                    for one in listed
                ]
                assert shown == thread.roles(now)
                run = thread.latest
                if run is not None:
                    told = self.do(self.world.run(thread.name, run.name, worker))
                    assert told["status"] == run.status(now)
                    self.consistent(thread, told, listed)

    def consistent(self, thread: ModelThread, run: Any, listed: list[Any]) -> None:
        """What is shown of a run fits together, whatever its status."""
        status = run["status"]
        steps = self.do(self.world.steps(thread.name, run["id"]))
        assert (run["required_action"] is not None) == (status == "requires_action")
        assert (run["usage"] is not None) == (status in OVER)
        open_steps = [one for one in steps if one["status"] == "in_progress"]
        assert len(open_steps) <= 1
        if status in OVER:
            assert not open_steps
        mine = {one["id"] for one in listed if one["run_id"] == run["id"]}
        assert mine == {
            one["step_details"]["message_creation"]["message_id"]
            for one in steps
            if one["type"] == "message_creation"
        }

    @invariant()
    def what_is_deleted_is_gone(self) -> None:
        for thread in self.gone[-1:]:
            self.refused(self.world.messages(thread.name), "No thread found")

    def teardown(self) -> None:
        self.stack.close()
        self.loop.close()


TestRules = Rules.TestCase
TestRules.settings = settings(max_examples=examples(300), stateful_step_count=30, deadline=None)
