"""Scopes as several workers know them, and their state under names of their own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmsim.config import Config, Server
from llmsim.core.state import StoreError
from llmsim.engine.seeds import SeedSource
from llmsim.state import scopes
from llmsim.state.memory import memory_state
from llmsim.state.scoped import scoped_state
from llmsim.state.scopes import ScopeRecord, ScopeStore
from llmsim.state.shared_state import new_segment

Store = Callable[[], ScopeStore]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two scopes, each time as another process has it."""
    segment = new_segment(Config(Server(workers=1, journal_mb=1)))
    return lambda: ScopeStore(segment, str(tmp_path), 2)


def seeded(record: ScopeRecord) -> ScopeRecord:
    return replace(record, sections={"seed": 5})


def test_a_scope_begins_when_it_is_opened(store: Store) -> None:
    one, other = store(), store()
    assert one.version("a") == 0
    version, record = one.opened("a")
    assert (record.name, record.sections) == ("a", {})
    assert other.opened("a") == (version, record)
    assert other.version("a") == version > 0


def test_others_see_a_change_at_once(store: Store) -> None:
    one, other = store(), store()
    before, record = one.opened("a")
    version, changed = other.change("a", seeded)
    assert version != before
    assert one.version("a") == version
    assert one.opened("a") == (version, changed) == (version, seeded(record))
    assert other.change("a", seeded) == (version, changed), "nothing to change"


def test_versions_are_never_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the clock stands still."""
    monkeypatch.setattr(scopes.time, "time_ns", lambda: 10**18)
    one = store()
    versions = [one.change("a", lambda old, n=n: replace(old, epoch=n))[0] for n in range(5)]
    assert len(set(versions)) == 5


def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    one = store()
    before = one.opened("a")

    def fail(record: ScopeRecord) -> ScopeRecord:
        raise LookupError

    with pytest.raises(LookupError):
        one.change("a", fail)
    assert one.opened("a") == before


def test_the_one_not_used_for_longest_makes_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10**18, 2 * 10**18, 10**9))
    monkeypatch.setattr(scopes.time, "time_ns", lambda: next(clock))
    one = store()
    version, _ = one.opened("a")
    one.opened("b")
    store().used("a", version)
    assert one.version("a") == version, "using it is no change"
    one.opened("c")
    assert set(one.names()) == {"a", "c"}


def test_a_use_noted_late_is_no_change_back(store: Store) -> None:
    one = store()
    old, _ = one.opened("a")
    new, _ = one.change("a", seeded)
    one.used("a", old)
    assert one.version("a") == new


def test_what_is_forgotten_begins_anew(store: Store) -> None:
    one = store()
    _, before = one.change("a", seeded)
    assert one.forget("a")
    assert not one.forget("a")
    _, after = one.opened("a")
    assert after.sections == {}
    assert after.epoch != before.epoch
    assert after.label != before.label
    one.used("b", 1)
    assert set(one.names()) == {"a"}


@pytest.mark.parametrize("name", [".", "..", "-", "a.new"])
def test_odd_names_are_names(store: Store, name: str) -> None:
    one = store()
    one.opened(name)
    assert set(one.names()) == {name}


def test_a_scope_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    one = store()
    (tmp_path / "scopes" / "+a").mkdir(parents=True)
    with pytest.raises(StoreError, match="scope a cannot be written"):
        one.opened("a")


RECORD = ScopeRecord("a", 1, 1, 0.0)


@pytest.mark.parametrize("other", [replace(RECORD, name="b"), replace(RECORD, epoch=2)])
def test_each_scope_and_each_beginning_of_it_counts_for_itself(other: ScopeRecord) -> None:
    server = memory_state(SeedSource(1))
    one, two = scoped_state(server, RECORD), scoped_state(server, other)
    again = scoped_state(server, RECORD)
    assert one.counters.take("rule", 1) == 0
    assert again.counters.take("rule", 1) is None
    assert two.counters.take("rule", 1) == 0
    assert server.counters.advance("rule") == 0
    assert (one.counters.reached("rule"), two.counters.reached("no rule")) == (1, 0)
    assert [one.order.turn(), again.order.turn(), two.order.turn()] == [0, 1, 0]
    assert [one.order.draw(), again.order.draw(), two.order.draw()] == [0, 1, 0]
    one.prefixes.keep(7, 60)
    assert again.prefixes.holds(7)
    assert not two.prefixes.holds(7)
    assert not server.prefixes.holds(7)
    assert one.scopes is None
    assert one.elapsed() > 0
