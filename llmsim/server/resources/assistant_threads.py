"""Threads of assistants and their messages.

A message that a client adds is stored whole. One that a run writes is stored as the run's step
alone, once the run is planned: whether it is there yet, and what it says, follows from the run and
the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import orjson
from msgspec import Struct, structs

from llmsim.core.errors import invalid
from llmsim.core.state import Objects, ObjectStore
from llmsim.providers.openai import lists
from llmsim.providers.openai.assistants import objects as wire_objects
from llmsim.providers.openai.assistants import runs as wire_runs
from llmsim.providers.openai.assistants.objects import MESSAGE, RUN, THREAD
from llmsim.providers.openai.assistants.runs import RunRecord
from llmsim.providers.openai.lists import Object, Paging
from llmsim.server.resources.assistants import found, loads, not_found, page, token


class StoredMessage(Struct, frozen=True):
    """A message: ``shown`` as it was added, or the ``step`` of a ``run`` that writes it, with its
    own metadata."""

    shown: Object | None = None
    run: str = ""
    step: str = ""
    metadata: dict[str, str] = {}


MOST_MESSAGES: Final = 100_000
"""Messages of a thread, as with OpenAI."""

_message = msgspec.json.Decoder(StoredMessage)


class AssistantThreads:
    """The threads of all workers, ``most`` at a time. Unknown ids raise BadRequest."""

    def __init__(
        self, store: ObjectStore, most: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._most = most
        self._clock = clock

    async def create(self, members: Object) -> bytes:
        """A new thread with its first messages."""
        now = int(self._clock())
        thread = wire_objects.thread(members, token(), now)

        def work(objects: Objects) -> None:
            messages = wire_objects.messages(members.get("messages"), thread["id"], token, now)
            add_thread(objects, thread, self._most)
            add_messages(objects, messages)

        await self._store.write(work)
        return orjson.dumps(thread)

    async def get(self, name: str) -> bytes:
        """A thread, without its messages."""
        return await self._store.read(lambda objects: found(objects, THREAD, name))

    async def update(self, name: str, members: Object) -> bytes:
        """Replace metadata and tool resources; gives the thread."""

        def work(objects: Objects) -> bytes:
            before = loads(found(objects, THREAD, name))
            body = orjson.dumps(wire_objects.updated_thread(before, members))
            objects.replace(THREAD, name, body)
            return body

        return await self._store.write(work)

    async def delete(self, name: str) -> bytes:
        """Delete a thread with its messages and runs."""

        def work(objects: Objects) -> None:
            found(objects, THREAD, name)
            objects.delete(THREAD, name)
            forget(objects, [name])

        await self._store.write(work)
        return wire_objects.deleted(THREAD, name)

    async def add(self, name: str, members: Object) -> bytes:
        """Add a message. Raises BadRequest while a run is active."""
        now = self._clock()
        message = wire_objects.message(members, name, token(), int(now))

        def work(objects: Objects) -> None:
            found(objects, THREAD, name)
            run = active_run(objects, name, now)
            if run is not None:
                raise invalid(f"Can't add messages to {name} while a run {run.id} is active.")
            add_messages(objects, [message])

        await self._store.write(work)
        return orjson.dumps(message)

    async def page(self, name: str, paging: Paging, run_id: str | None = None) -> bytes:
        """A page of the messages, of one run's only if that is named."""
        now = self._clock()

        def work(objects: Objects) -> bytes:
            found(objects, THREAD, name)
            reader = MessageReader(objects, now)
            if run_id is not None:
                return lists.page(reader.of_run(name, run_id), paging)
            listed = page(objects, MESSAGE, name, paging, reader.shown)
            return lists.envelope(listed, paging.limit)

        return await self._store.read(work)

    async def message(self, thread: str, name: str) -> bytes:
        """One message."""
        now = self._clock()
        return await self._store.read(
            lambda objects: orjson.dumps(_shown(objects, thread, name, now))
        )

    async def update_message(
        self, thread: str, name: str, metadata: dict[str, str] | None
    ) -> bytes:
        """Replace the metadata; gives the message."""
        now = self._clock()

        def work(objects: Objects) -> Object:
            shown = _shown(objects, thread, name, now)
            if metadata is None:
                return shown
            shown["metadata"] = metadata
            stored = _message.decode(found(objects, MESSAGE, name))
            new = structs.replace(stored, shown=shown) if stored.shown else stored
            new = structs.replace(new, metadata=metadata)
            objects.replace(MESSAGE, name, msgspec.json.encode(new))
            return shown

        return orjson.dumps(await self._store.write(work))

    async def delete_message(self, thread: str, name: str) -> bytes:
        """Delete a message."""
        now = self._clock()

        def work(objects: Objects) -> None:
            _shown(objects, thread, name, now)
            objects.delete(MESSAGE, name)

        await self._store.write(work)
        return wire_objects.deleted(MESSAGE, name)


class MessageReader:
    """Shows messages as they are at ``now``; each run they belong to is read once."""

    def __init__(self, objects: Objects, now: float) -> None:
        self._objects = objects
        self._now = now
        self._written: dict[str, dict[str, Object]] = {}

    def shown(self, name: str, value: bytes) -> Object | None:
        """A message; None for one that its run has not begun."""
        stored = _message.decode(value)
        if stored.shown is not None:
            return stored.shown
        if stored.run not in self._written:
            self._written[stored.run] = self._by_step(stored.run)
        message = self._written[stored.run].get(stored.step)
        return None if message is None else {**message, "metadata": stored.metadata}

    def of_run(self, thread: str, name: str) -> list[Object]:
        """The messages that a run has written, oldest first."""
        value = self._objects.get(RUN, name)
        if value is None or wire_runs.load(value).thread_id != thread:
            return []
        made = []
        for message in self._by_step(name).values():
            stored = self._objects.get(MESSAGE, message["id"])
            shown = None if stored is None else self.shown(message["id"], stored)
            if shown is not None:
                made.append(shown)
        return made

    def _by_step(self, name: str) -> dict[str, Object]:
        value = self._objects.get(RUN, name)
        if value is None:
            return {}
        run = wire_runs.load(value)
        return {
            at.step.id: wire_runs.message_object(run, at, {})
            for at in wire_runs.steps_at(run, self._now)
            if at.step.message_id is not None
        }


def _shown(objects: Objects, thread: str, name: str, now: float) -> Object:
    """A message of that thread. Raises BadRequest for one that is not there."""
    found(objects, THREAD, thread)
    shown = MessageReader(objects, now).shown(name, found(objects, MESSAGE, name))
    if shown is None or shown["thread_id"] != thread:
        raise not_found(MESSAGE, name)
    return shown


def add_thread(objects: Objects, thread: Object, most: int) -> None:
    """Keep a new thread; of more than ``most`` the oldest are forgotten with all they have."""
    objects.put(THREAD, thread["id"], orjson.dumps(thread))
    forget(objects, objects.trim(THREAD, most))


def forget(objects: Objects, threads: Sequence[str]) -> None:
    """Forget messages and runs of threads."""
    for name in threads:
        objects.clear(MESSAGE, name)
        objects.clear(RUN, name)


def add_messages(objects: Objects, messages: Sequence[Object]) -> None:
    """Keep messages that a client adds to a thread. Raises BadRequest if it has too many."""
    if messages:
        name = messages[0]["thread_id"]
        if objects.count(MESSAGE, name) + len(messages) > MOST_MESSAGES:
            raise invalid(f"{name} may not have more than {MOST_MESSAGES} messages.")
    for one in messages:
        value = msgspec.json.encode(StoredMessage(one))
        objects.put(MESSAGE, one["id"], value, one["thread_id"])


def add_written(objects: Objects, run: RunRecord) -> None:
    """Keep the messages that the latest stretch of a run will write."""
    for step in run.stretches[-1].steps:
        if step.message_id is not None:
            value = msgspec.json.encode(StoredMessage(run=run.id, step=step.id))
            objects.put(MESSAGE, step.message_id, value, run.thread_id)


def active_run(objects: Objects, thread: str, now: float) -> RunRecord | None:
    """The run that locks a thread; None where nothing does. Only the latest can be active."""
    listed = objects.list(RUN, thread, limit=1)
    if not listed:
        return None
    run = wire_runs.load(listed[0][1])
    return run if run.progress.at(now).active else None
