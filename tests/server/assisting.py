"""Two workers that serve assistants, without processes and sockets, under a clock that stands
still until a test moves it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import orjson

from llmsim.core import Plan, Stamp
from llmsim.core.errors import BadRequest
from llmsim.pipeline.context import Call
from llmsim.providers.openai.assistants.codec import RunCodec, read_outputs, read_run
from llmsim.providers.openai.lists import Paging
from llmsim.providers.openai.provider import runs_endpoint
from llmsim.server.resources.assistant_runs import EARLY, AssistantRuns, NewRun, SubmittedOutputs
from llmsim.server.resources.assistant_threads import AssistantThreads
from llmsim.server.resources.assistants import Assistants
from llmsim.state.sqlite import Store, new_store
from tests.pipeline.simulated import Client, Simulated

T = TypeVar("T")

PATIENCE = 60.0
STEADY = """
latency: {ttft_mean_ms: 1000, ttft_stddev_ms: 0, tbt_mean_ms: 100, tbt_stddev_ms: 0}
"""
"""The first token after a second, the others every tenth of one."""

WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
OLDEST_FIRST = Paging(100, newest_first=False)


class AssistantWorker:
    """One worker's resources."""

    def __init__(self, store: Store, world: "AssistantWorld") -> None:
        def clock() -> float:
            return world.now

        self.store = store
        self.assistants = Assistants(store, clock)
        self.threads = AssistantThreads(store, world.most, clock)
        settings = world.simulated.pipeline.settings
        self.runs = AssistantRuns(store, world.most, PATIENCE, settings, clock)


class AssistantWorld:
    """What the workers share; ``now`` is the time of day."""

    def __init__(self, stores: list[Store], folder: Path, text: str = "", most: int = 100) -> None:
        self.now = 1_700_000_000.0
        self.most = most
        self.simulated = Simulated(folder, STEADY + text)
        self.workers = [AssistantWorker(store, self) for store in stores]
        self.plans: list[Plan] = []
        self.began = 0.0
        self._marks = count(1)

    async def assistant(self, worker: int = 0, **members: Any) -> str:
        body = await self.workers[worker].assistants.create({"model": "gpt-4o", **members})
        return str(orjson.loads(body)["id"])

    async def thread(self, *texts: str, worker: int = 0) -> str:
        messages = [{"role": "user", "content": text} for text in texts]
        body = await self.workers[worker].threads.create({"messages": messages})
        return str(orjson.loads(body)["id"])

    async def add(self, thread: str, text: str, worker: int = 0) -> Any:
        members = {"role": "user", "content": text}
        return orjson.loads(await self.workers[worker].threads.add(thread, members))

    async def create_run(
        self, assistant: str, name: str | None, worker: int = 0, **members: Any
    ) -> Any:
        """The run as it is answered with, or the events of its stream."""
        body = orjson.dumps({"assistant_id": assistant, **members})
        memory = NewRun(self.workers[worker].runs, name)
        return await self._work(RunCodec(read_run), memory, body)

    async def submit(
        self, thread: str, run: str, outputs: dict[str, str], worker: int = 0, **members: Any
    ) -> Any:
        listed = [{"tool_call_id": name, "output": text} for name, text in outputs.items()]
        body = orjson.dumps({"tool_outputs": listed, **members})
        memory = SubmittedOutputs(self.workers[worker].runs, thread, run)
        return await self._work(RunCodec(read_outputs), memory, body)

    async def _work(self, codec: RunCodec, memory: NewRun | SubmittedOutputs, body: bytes) -> Any:
        stamp = Stamp(f"{next(self._marks):026x}", int(self.now))
        call = Call(runs_endpoint(codec, None), Client({}), stamp, body, memory=memory)
        plan = await self.simulated.pipeline.plan(call)
        if plan.completion is None:
            assert plan.failure is not None
            raise BadRequest(plan.failure)
        kept = await memory.keep(call, plan, b"")
        self.plans.append(plan)
        self.began = self.now - EARLY
        if isinstance(kept, bytes):
            return orjson.loads(kept)
        return events(plan)

    async def run(self, thread: str, name: str, worker: int = 1) -> Any:
        body, _ = await self.workers[worker].runs.get(thread, name)
        return orjson.loads(body)

    async def cancel(self, thread: str, name: str, worker: int = 1) -> Any:
        body, _ = await self.workers[worker].runs.cancel(thread, name)
        return orjson.loads(body)

    async def steps(self, thread: str, name: str, worker: int = 1) -> list[Any]:
        body = await self.workers[worker].runs.steps(thread, name, OLDEST_FIRST, False)
        return list(orjson.loads(body)["data"])

    async def messages(self, thread: str, worker: int = 1) -> list[Any]:
        body = await self.workers[worker].threads.page(thread, OLDEST_FIRST)
        return list(orjson.loads(body)["data"])


def events(plan: Plan) -> list[tuple[str, Any]]:
    """Name and data of each event of a stream."""
    made = []
    for place in range(len(plan.due)):
        for block in plan.frames[place].decode().strip().split("\n\n"):
            name, data = block.split("\n")
            text = data.removeprefix("data: ")
            made.append((name.removeprefix("event: "), text if text == "[DONE]" else _json(text)))
    return made


def _json(text: str) -> Any:
    return orjson.loads(text)


@contextmanager
def assistant_world(text: str = "", most: int = 100) -> Iterator[AssistantWorld]:
    with new_store() as path, TemporaryDirectory() as folder:
        stores = [Store(path), Store(path)]
        try:
            yield AssistantWorld(stores, Path(folder), text, most)
        finally:
            for store in stores:
                store.close()


def assisted(scene: Callable[[AssistantWorld], Awaitable[T]], text: str = "", most: int = 100) -> T:
    """What happens in a new world."""

    async def run() -> T:
        with assistant_world(text, most) as world:
            return await scene(world)

    return asyncio.run(run())


def outputs(run: Any) -> dict[str, str]:
    """An output for each call that a run requires one of."""
    calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return {call["id"]: "sunny" for call in calls}
