"""Assistants, and what they have in common with threads and runs: objects in the store that are
found, listed, updated and deleted by their ids."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

import orjson

from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.core.state import Objects, ObjectStore
from llmsim.providers.openai import lists
from llmsim.providers.openai.assistants import objects as wire_objects
from llmsim.providers.openai.assistants.objects import ASSISTANT
from llmsim.providers.openai.lists import Object, Paging
from llmsim.state.sqlite import MOST


class Assistants:
    """The assistants of all workers. Unknown ids raise BadRequest."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def create(self, members: Object) -> bytes:
        """A new assistant."""
        made = wire_objects.assistant(members, token(), int(self._clock()))
        body = orjson.dumps(made)
        await self._store.put(ASSISTANT, made["id"], body)
        return body

    async def get(self, name: str) -> bytes:
        """An assistant."""
        return await self._store.read(lambda objects: found(objects, ASSISTANT, name))

    async def page(self, paging: Paging) -> bytes:
        """A page of all assistants."""

        def work(objects: Objects) -> bytes:
            listed = page(objects, ASSISTANT, "", paging, lambda _, value: loads(value))
            return lists.envelope(listed, paging.limit)

        return await self._store.read(work)

    async def update(self, name: str, members: Object) -> bytes:
        """Replace some members of an assistant; gives the assistant."""

        def work(objects: Objects) -> bytes:
            before = loads(found(objects, ASSISTANT, name))
            body = orjson.dumps(wire_objects.updated_assistant(before, members))
            objects.replace(ASSISTANT, name, body)
            return body

        return await self._store.write(work)

    async def delete(self, name: str) -> bytes:
        """Delete an assistant; its runs stay."""
        if not await self._store.delete(ASSISTANT, name):
            raise not_found(ASSISTANT, name)
        return wire_objects.deleted(ASSISTANT, name)


def token() -> str:
    """What makes an id unique: 24 characters."""
    return secrets.token_hex(12)


def loads(value: bytes) -> Object:
    """An object from the store."""
    made: Object = orjson.loads(value)
    return made


def not_found(kind: str, name: str) -> BadRequest:
    """The exception for an object that does not exist."""
    return BadRequest(Failure(FailureKind.NOT_FOUND, f"No {kind} found with id '{name}'."))


def found(objects: Objects, kind: str, name: str) -> bytes:
    """An object. Raises BadRequest for one that is not there."""
    value = objects.get(kind, name)
    if value is None:
        raise not_found(kind, name)
    return value


def page(
    objects: Objects,
    kind: str,
    group: str,
    paging: Paging,
    show: Callable[[str, bytes], Object | None],
) -> list[Object]:
    """The objects of a page and, if there are more, one of those. ``show`` makes what is shown of
    an object's id and value; None for one that is not. Raises BadRequest for an unknown cursor.
    """
    reading = paging.reading()
    after = reading.after
    wanted, shown = min(paging.limit, MOST) + 1, list[Object]()
    while len(shown) < wanted:
        try:
            listed = objects.list(
                kind,
                group,
                after=after,
                before=reading.before,
                limit=wanted,
                newest_first=reading.newest_first,
            )
        except LookupError as missing:
            raise not_found(kind, str(missing.args[0])) from None
        shown += [one for name, value in listed if (one := show(name, value)) is not None]
        if len(listed) < wanted:
            break
        after = listed[-1][0]
    return paging.shown(shown[:wanted])
