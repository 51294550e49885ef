"""Message batches: every request is planned when the batch is created, and its result shows once
its answer would have been complete."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TypeAlias

import orjson
from msgspec import Raw

from llmsim.core import Stamp
from llmsim.core.errors import BadRequest
from llmsim.core.state import ObjectStore, StoreError
from llmsim.engine import answer_size
from llmsim.providers.anthropic import batches as anthropic_batches
from llmsim.providers.anthropic import lists
from llmsim.providers.anthropic.batches import Batch, Result, not_ended, not_found
from llmsim.providers.anthropic.lists import Query
from llmsim.providers.anthropic.provider import batch_endpoint
from llmsim.server.handler import RequestHandler
from llmsim.server.pipeline_state import by_size
from llmsim.server.resources.batch_times import BatchTimes

KIND = "message batch"
RESULTS = "results of a message batch"

log = logging.getLogger("llmsim")

URL: TypeAlias = Callable[[str], str]
"""The URL, as the client reaches it, of the results of the batch with an id."""


class Batches:
    """The message batches of all workers, whose results have at most ``most_bytes`` each. Unknown
    ids raise BadRequest."""

    def __init__(
        self, store: ObjectStore, handler: RequestHandler, strict: bool, most_bytes: int
    ) -> None:
        self._store = store
        self._most_bytes = most_bytes
        self._handler = handler
        self._strict = strict
        self._endpoint = batch_endpoint(strict)
        self._followed: set[asyncio.Task[None]] = set()

    async def create(self, body: bytes, stamp: Stamp, url: URL, api_key: str = "") -> bytes:
        """A new batch of that API key's, all of whose requests have begun."""
        items = await by_size(len(body), anthropic_batches.read, body)
        created = time.time()
        times = BatchTimes(created)
        results: list[Result] = []
        size = 0
        for item in items:
            await asyncio.sleep(0)
            planned = await self._handler.unawaited(
                self._endpoint, bytes(item.params), api_key, times.begin()
            )
            times.planned(planned)
            answer = Raw(planned.frames[0])
            size += len(planned.frames[0])
            try:
                answer_size.check(size, self._most_bytes)
            except BadRequest as bad:
                self._handler.note(bad.failure)
                raise
            results.append(Result(item.custom_id, planned.status == 200, answer))
        batch = Batch(
            anthropic_batches.batch_id(stamp),
            created,
            times.ends,
            [one.succeeded for one in results],
        )
        written = await by_size(size, anthropic_batches.dump_results, results)
        await self._store.put(RESULTS, batch.id, written)
        await self._store.put(KIND, batch.id, anthropic_batches.dump_batch(batch))
        if times.open:
            task = asyncio.ensure_future(self._follow(batch.id, times))
            self._followed.add(task)
            task.add_done_callback(self._followed.discard)
        return await by_size(len(body), _batch_body, batch, created, url)

    async def _follow(self, name: str, times: BatchTimes) -> None:
        """Store the ends of a batch's requests until steps have ended all of them."""

        def timed(value: bytes) -> bytes:
            batch = anthropic_batches.load_batch(value)
            batch.ends = list(times.ends)
            return anthropic_batches.dump_batch(batch)

        while times.open:
            await times.change()
            try:
                if await self._store.update(KIND, name, timed) is None:
                    return
            except StoreError as error:
                log.error("the store does not work: %s", error)

    async def get(self, name: str, url: URL) -> bytes:
        """A batch as it is now."""
        return await self._shown(await self._value(name), time.time(), url)

    async def list(self, query: Query, url: URL) -> bytes:
        """A page of the batches, newest first."""
        window = lists.window(query, self._strict)
        backwards = window.before is not None
        try:
            found = await self._store.list(
                KIND,
                after=window.before or window.after,
                limit=window.limit + 1,
                newest_first=not backwards,
            )
        except LookupError:
            lists.check_stale(window)
            found = []
        shown = [value for _, value in found[: window.limit]]
        if backwards:
            shown.reverse()

        def page() -> bytes:
            now = time.time()
            loaded = map(anthropic_batches.load_batch, shown)
            objects = [anthropic_batches.batch_object(one, now, url(one.id)) for one in loaded]
            return lists.page(objects, len(found) > window.limit)

        return await by_size(sum(map(len, shown)), page)

    async def cancel(self, name: str, url: URL) -> bytes:
        """Cancel the requests that have not ended by now; a batch that has ended stays as it is."""
        now = time.time()

        def canceled(value: bytes) -> bytes:
            batch = anthropic_batches.load_batch(value)
            if batch.canceled is None and not batch.has_ended(now):
                batch.canceled = now
            return anthropic_batches.dump_batch(batch)

        value = await self._store.update(KIND, name, canceled)
        if value is None:
            raise not_found(name)
        return await self._shown(value, now, url)

    async def delete(self, name: str) -> bytes:
        """Delete a batch that has ended, and its results."""
        if not (await self._batch(name)).has_ended(time.time()):
            raise not_ended(name, "can only be deleted")
        await self._store.delete(KIND, name)
        await self._store.delete(RESULTS, name)
        return anthropic_batches.deleted(name)

    async def results(self, name: str) -> bytes:
        """The results: one line of JSON per request."""
        batch = await self._batch(name)
        if not batch.has_ended(time.time()):
            raise not_ended(name, "only has results")
        value = await self._store.get(RESULTS, name)
        if value is None:
            raise not_found(name)
        return await by_size(len(value), anthropic_batches.results, batch, value)

    async def _value(self, name: str) -> bytes:
        value = await self._store.get(KIND, name)
        if value is None:
            raise not_found(name)
        return value

    async def _batch(self, name: str) -> Batch:
        value = await self._value(name)
        return await by_size(len(value), anthropic_batches.load_batch, value)

    async def _shown(self, value: bytes, now: float, url: URL) -> bytes:
        """The object of a stored batch."""
        return await by_size(
            len(value), lambda: _batch_body(anthropic_batches.load_batch(value), now, url)
        )


def _batch_body(batch: Batch, now: float, url: URL) -> bytes:
    return orjson.dumps(anthropic_batches.batch_object(batch, now, url(batch.id)))
