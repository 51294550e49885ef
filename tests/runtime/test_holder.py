"""A change reaches every worker, whole or not at all, and whoever makes it waits for them."""

import asyncio
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from llmsim.config import Config
from llmsim.core.errors import ConfigError
from llmsim.pipeline.steps.faults import FaultStep
from llmsim.pipeline.steps.mocks import MockStep
from llmsim.pipeline.steps.rate_limits import RateLimitStep
from llmsim.runtime import holder
from llmsim.runtime.holder import PATIENCE
from llmsim.runtime.runtime_config import steps
from llmsim.server.admin.limits import describe_limits
from llmsim.state.memory import memory_state
from llmsim.state.shm.layout import GENERATION
from llmsim.state.shm.worker_counters import WorkerCounters
from tests.runtime.worker import Worker, configured

START = Config(seed=1)
DEAD = 1 << 22  # the kernel gives no process so high a number


def seeded(number: int) -> holder.Edit:
    return lambda config: replace(config, seed=number)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    """A worker that serves."""
    made = Worker(START, tmp_path)
    made.follow()
    return made


def other_worker(worker: Worker, generation: int, pid: int | None = None) -> WorkerCounters:
    """The counters of another worker, which serves with the configuration of a generation."""
    counters = WorkerCounters(worker.shared.segment.counters(1))
    counters.take_over(os.getpid() if pid is None else pid)
    counters.cells[GENERATION] = 1 + generation
    return counters


def test_a_worker_that_serves_says_which_configuration_it_goes_by(tmp_path: Path) -> None:
    worker = Worker(START, tmp_path)
    assert worker.config == START
    assert worker.acknowledged == 0
    worker.follow()
    assert worker.acknowledged == 1
    assert len(worker.loop.timers) == 1


def test_nothing_is_built_while_nothing_changes(worker: Worker) -> None:
    runtime = worker.holder.runtime
    for _ in range(3):
        worker.loop.tick()
    assert worker.loop.work == []
    assert worker.holder.runtime is runtime


def test_a_change_is_taken_over_once_it_is_built(worker: Worker) -> None:
    worker.store.change(seeded(2))
    worker.loop.tick()
    assert (worker.config, worker.acknowledged) == (START, 1)
    assert worker.loop.timers == [], "it does not check again while it builds"
    worker.loop.finish()
    assert (worker.config, worker.acknowledged) == (replace(START, seed=2), 2)
    assert len(worker.loop.timers) == 1


def test_a_change_during_a_change_is_taken_over_by_the_next_check(worker: Worker) -> None:
    worker.store.change(seeded(2))
    worker.loop.tick()
    worker.store.change(seeded(3))
    worker.loop.finish()
    assert worker.acknowledged == 2, "it may go by the newer one, but has not said so"
    worker.take_over()
    assert (worker.config.seed, worker.acknowledged) == (3, 3)


def test_a_change_before_a_worker_serves_is_in_effect_when_it_does(tmp_path: Path) -> None:
    worker = Worker(START, tmp_path)
    worker.store.change(seeded(2))
    worker.follow()
    assert (worker.config.seed, worker.acknowledged) == (2, 2)


def test_a_change_that_cannot_be_built_leaves_the_configuration_in_effect(
    worker: Worker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runtime = worker.holder.runtime
    worker.store.change(seeded(2))
    (tmp_path / "config").write_bytes(b"no configuration")
    worker.take_over()
    assert worker.holder.runtime is runtime
    assert "could not be put into effect" in caplog.text
    assert worker.acknowledged == 2, "nobody has to wait for what will not happen"
    (tmp_path / "config").write_bytes(pickle.dumps(START))
    worker.store.change(seeded(3))
    worker.take_over()
    assert worker.config.seed == 3


def test_a_worker_that_stops_takes_nothing_over(worker: Worker) -> None:
    worker.store.change(seeded(2))
    worker.loop.tick()
    _, building = worker.loop.work.pop()
    building.cancel()
    assert (worker.config, worker.acknowledged) == (START, 1)
    worker.holder.stop()
    assert worker.loop.timers == []


def test_a_holder_that_never_followed_can_stop(tmp_path: Path) -> None:
    Worker(START, tmp_path).holder.stop()


def test_the_settings_of_models_in_use_are_built_before_the_change_takes_effect(
    worker: Worker, tmp_path: Path
) -> None:
    fast = configured("latency: {profile: instant}", tmp_path)
    before = worker.holder.runtime.registry.settings("gpt-4o")
    worker.store.change(lambda _: fast)
    worker.take_over()
    settings = worker.holder.runtime.registry.known("gpt-4o")
    assert settings is not None
    assert settings.draws is not before.draws
    assert worker.holder.runtime.registry.known("gpt-4") is None


def test_a_model_in_use_that_is_no_longer_served_stops_no_change(
    worker: Worker, tmp_path: Path
) -> None:
    strict = configured("models: {unknown: reject}", tmp_path)
    worker.holder.runtime.registry.settings("house-model")
    worker.store.change(lambda _: strict)
    worker.take_over()
    assert worker.holder.runtime.registry.known("house-model") is None
    assert worker.acknowledged == 2


def test_who_changes_something_has_it_in_effect_when_it_returns(worker: Worker) -> None:
    assert worker.change(seeded(2)) == replace(START, seed=2)
    assert worker.config.seed == 2


def test_who_changes_something_waits_for_the_slowest_worker(worker: Worker) -> None:
    other = other_worker(worker, generation=0)

    def woken() -> None:
        worker.take_over()
        if worker.clock.sleeps == 7:
            other.cells[GENERATION] = 2

    worker.clock.woken = woken
    asyncio.run(worker.holder.change(seeded(2)))
    assert worker.clock.sleeps == 7
    assert worker.clock.now < PATIENCE


@pytest.mark.parametrize(("generation", "pid"), [(1, None), (0, DEAD), (-1, None)])
def test_it_waits_for_no_worker_that_is_up_to_date_or_dead_or_does_not_serve_yet(
    worker: Worker, generation: int, pid: int | None
) -> None:
    other_worker(worker, generation, pid)
    worker.change(seeded(2))
    assert worker.clock.sleeps == 1


def test_a_stuck_worker_is_not_waited_for_for_ever(worker: Worker) -> None:
    other_worker(worker, generation=0)
    worker.change(seeded(2))
    assert PATIENCE <= worker.clock.now < PATIENCE + 0.1


def test_an_edit_that_fails_changes_nothing(worker: Worker) -> None:
    def faulty(config: Config) -> Config:
        raise ConfigError([])

    with pytest.raises(ConfigError):
        worker.change(faulty)
    worker.loop.tick()
    assert worker.loop.work == []
    assert (worker.config, worker.store.generation) == (START, 0)


@pytest.mark.parametrize(
    ("config", "needed"),
    [
        ("", []),
        ("control: {headers: false}", []),
        ("errors: {overloaded_rate: 0.5}", [FaultStep]),
        ("timetable: [{from: 0s, overloaded_rate: 1}]", [FaultStep]),
        ("rate_limits: [{requests_per_minute: 9}]", [RateLimitStep]),
        ("concurrency: {max_concurrency: 1}", [RateLimitStep]),
        ("mocks: [{response: Hi}]", [MockStep]),
        (
            "{mocks: [{response: Hi}], concurrency: {max_concurrency: 1}, "
            "errors: {overloaded_rate: 0.5}}",
            [RateLimitStep, FaultStep, MockStep],
        ),
    ],
)
def test_a_configuration_has_the_steps_it_needs_in_their_order(
    tmp_path: Path, config: str, needed: list[type]
) -> None:
    made = steps(configured(config, tmp_path), memory_state(fresh=lambda: 7))
    assert [type(step) for step in made] == needed


def test_api_keys_are_those_that_are_let_in(tmp_path: Path) -> None:
    runtime = Worker(configured("keys: [sk-secret]", tmp_path), tmp_path).holder.runtime
    assert runtime.api_keys == {"sk-secret"}
    assert Worker(START, tmp_path).holder.runtime.api_keys == frozenset()


def test_the_limits_shown_are_those_in_effect(worker: Worker, tmp_path: Path) -> None:
    assert describe_limits(worker.config, worker.shared) == []
    limited = configured("concurrency: {max_concurrency: 3}", tmp_path)
    worker.change(lambda _: limited)
    assert [one["limit"] for one in describe_limits(worker.config, worker.shared)] == [3]
