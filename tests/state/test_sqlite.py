"""The store: what one worker keeps, every other one reads, changes and lists."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from llmsim.state.sqlite import Store, new_store

T = TypeVar("T")


@pytest.fixture
def path() -> Iterator[str]:
    with new_store() as path:
        yield path


def using(path: str, work: Callable[[Store], Awaitable[T]], most: int = 10_000) -> T:
    """What ``work`` makes of a store that was opened for it alone, as in a process of its own."""

    async def run() -> T:
        with closing(Store(path, most)) as store:
            return await work(store)

    return asyncio.run(run())


def test_what_one_keeps_another_reads(path: str) -> None:
    using(path, lambda store: store.put("thread", "a", b"one"))
    assert using(path, lambda store: store.get("thread", "a")) == b"one"


@pytest.mark.parametrize(("kind", "id_"), [("thread", "b"), ("run", "a")])
def test_what_nobody_kept_is_not_there(path: str, kind: str, id_: str) -> None:
    async def work(store: Store) -> list[object]:
        await store.put("thread", "a", b"one")
        return [
            await store.get(kind, id_),
            await store.update(kind, id_, lambda value: value),
            await store.delete(kind, id_),
        ]

    assert using(path, work) == [None, None, False]


def test_deleting_forgets_once(path: str) -> None:
    async def work(store: Store) -> list[object]:
        await store.put("thread", "a", b"one")
        deleted = [await store.delete("thread", "a"), await store.delete("thread", "a")]
        return [*deleted, await store.get("thread", "a"), await store.list("thread")]

    assert using(path, work) == [True, False, None, []]


def test_clearing_forgets_a_group_and_no_other(path: str) -> None:
    async def work(store: Store) -> list[object]:
        for id_, group in (("a", "x"), ("b", "y"), ("c", "x")):
            await store.put("message", id_, b"", group)
        await store.put("step", "a", b"", "x")
        return [
            await store.clear("message", "x"),
            await store.list("message", "y"),
            await store.list("step", "x"),
        ]

    assert using(path, work) == [2, [("b", b"")], [("a", b"")]]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "edcba"),
        ({"limit": 2}, "ed"),
        ({"after": "d"}, "cba"),
        ({"after": "d", "limit": 2}, "cb"),
        ({"before": "b"}, "edc"),
        ({"after": "e", "before": "b"}, "dc"),
        ({"newest_first": False}, "abcde"),
        ({"newest_first": False, "after": "b"}, "cde"),
        ({"newest_first": False, "before": "d", "limit": 2}, "ab"),
    ],
)
def test_lists_in_the_order_of_creation(path: str, how: dict[str, object], expected: str) -> None:
    async def work(store: Store) -> list[tuple[str, bytes]]:
        for id_ in "abcde":
            await store.put("message", id_, id_.encode(), "mine")
        await store.put("message", "z", b"", "other")
        await store.put("message", "a", b"A", "mine")  # keeps its place
        await store.update("message", "c", lambda value: value.upper())
        return await store.list("message", "mine", **how)  # type: ignore[arg-type]

    listed = using(path, work)
    assert "".join(id_ for id_, _ in listed) == expected
    values = {"a": b"A", "b": b"b", "c": b"C", "d": b"d", "e": b"e"}
    assert dict(listed) == {id_: values[id_] for id_ in expected}


def test_listing_past_something_unknown_is_an_error(path: str) -> None:
    with pytest.raises(LookupError, match="nobody"):
        using(path, lambda store: store.list("message", after="nobody"))


def test_a_change_that_fails_changes_nothing_and_locks_nobody_out(path: str) -> None:
    def fails(value: bytes) -> bytes:
        raise ValueError("no")

    async def work(store: Store) -> bytes | None:
        await store.put("run", "a", b"one")
        with pytest.raises(ValueError, match="no"):
            await store.update("run", "a", fails)
        return await store.update("run", "a", lambda value: value + b"!")

    assert using(path, work) == b"one!"
    assert using(path, lambda store: store.get("run", "a")) == b"one!"


def test_the_oldest_of_a_kind_go_first(path: str) -> None:
    async def work(store: Store) -> list[int]:
        await store.put("other", "first", b"")
        for number in range(30):
            await store.put("note", str(number), b"")
        kept = await store.list("note", limit=1000)
        assert await store.get("other", "first") == b""
        return [int(id_) for id_, _ in kept]

    kept = using(path, work, most=10)
    assert kept == list(range(29, 29 - len(kept), -1))
    assert 10 <= len(kept) < 20


def count_up(path: str, times: int) -> None:
    async def work(store: Store) -> None:
        for _ in range(times):
            await store.update("counter", "a", lambda value: b"%d" % (int(value) + 1))

    using(path, work)


def test_changes_of_several_processes_all_count(path: str) -> None:
    using(path, lambda store: store.put("counter", "a", b"0"))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=count_up, args=(path, 200)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert using(path, lambda store: store.get("counter", "a")) == b"600"


def test_leaves_nothing_behind() -> None:
    with new_store() as path:
        using(path, lambda store: store.put("thread", "a", b"one"))
        assert Path(path).exists()
    assert not Path(path).parent.exists()
