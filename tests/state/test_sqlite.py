"""The store: what one worker keeps, every other one reads, changes and lists."""

import asyncio
import multiprocessing
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from llmsim.core.state import Objects, StoreError
from llmsim.state.sqlite import Store, new_store, prepare

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


def test_a_group_is_counted(path: str) -> None:
    async def work(store: Store) -> list[int]:
        for id_, group in (("a", "x"), ("b", "y"), ("c", "x")):
            await store.put("message", id_, b"", group)
        await store.put("step", "d", b"", "x")
        groups = ("x", "y", "z")
        return await store.read(lambda objects: [objects.count("message", one) for one in groups])

    assert using(path, work) == [2, 1, 0]


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


def test_several_objects_at_one_moment(path: str) -> None:
    def twice(objects: Objects) -> bytes | None:
        objects.put("run", "a", b"one", "t")
        objects.put("message", "m", b"two", "t")
        objects.replace("run", "a", b"three")
        return objects.get("run", "a")

    assert using(path, lambda store: store.write(twice)) == b"three"
    assert using(path, lambda store: store.read(lambda objects: objects.list("run", "t"))) == [
        ("a", b"three")
    ]


def test_work_that_fails_has_changed_nothing(path: str) -> None:
    def fails(objects: Objects) -> None:
        objects.put("run", "a", b"one")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        using(path, lambda store: store.write(fails))
    assert using(path, lambda store: store.get("run", "a")) is None


def test_the_oldest_are_named_when_they_go(path: str) -> None:
    def put(name: str) -> Callable[[Objects], list[str]]:
        def work(objects: Objects) -> list[str]:
            objects.put("thread", name, b"")
            return objects.trim("thread", 3)

        return work

    async def work(store: Store) -> tuple[list[str], list[str]]:
        gone = [name for number in range(9) for name in await store.write(put(str(number)))]
        return gone, [name for name, _ in await store.list("thread", newest_first=False)]

    gone, kept = using(path, work)
    assert [*gone, *kept] == [str(number) for number in range(9)]
    assert 3 <= len(kept) < 6


@pytest.mark.parametrize("what", ["put", "get", "list", "update", "read", "write"])
def test_a_database_that_cannot_be_opened(what: str) -> None:
    calls: dict[str, Callable[[Store], Awaitable[object]]] = {
        "put": lambda store: store.put("a", "b", b""),
        "get": lambda store: store.get("a", "b"),
        "list": lambda store: store.list("a"),
        "update": lambda store: store.update("a", "b", lambda value: value),
        "read": lambda store: store.read(lambda objects: objects.get("a", "b")),
        "write": lambda store: store.write(lambda objects: objects.get("a", "b")),
    }
    with pytest.raises(StoreError, match=r"/nowhere/x\.db: unable to open"):
        using("/nowhere/x.db", calls[what])


def test_a_database_that_is_read_only_can_still_be_read(path: str) -> None:
    async def work(store: Store) -> bytes | None:
        await store.put("thread", "a", b"one")
        await store._do(lambda objects: objects._database.execute("PRAGMA query_only = ON"))
        for _ in range(2):
            with pytest.raises(StoreError, match="readonly"):
                await store.put("thread", "a", b"two")
            with pytest.raises(StoreError, match="readonly"):
                await store.write(lambda objects: objects.put("thread", "b", b""))
        return await store.get("thread", "a")

    assert using(path, work) == b"one"


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    prepare(path)
    prepare(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="version 7 of the store's schema, not 1"):
        prepare(path)
