"""The configuration that processes share: a file and a generation number."""

from dataclasses import replace
from pathlib import Path

import pytest

from llmsim.config import Config, Response
from llmsim.runtime.store import ConfigStore
from llmsim.state.shm.segment import Segment
from tests.runtime.worker import segment

START = Config(seed=1)


@pytest.fixture(name="segment")
def _segment() -> Segment:
    return segment()


def store(segment: Segment, folder: Path) -> ConfigStore:
    """The store as one more process sees it."""
    return ConfigStore(START, segment, str(folder))


def test_before_any_change_it_is_what_the_server_was_started_with(
    segment: Segment, tmp_path: Path
) -> None:
    one = store(segment, tmp_path)
    assert (one.generation, one.read()) == (0, START)


def test_every_process_reads_the_latest_change(segment: Segment, tmp_path: Path) -> None:
    one, other = store(segment, tmp_path), store(segment, tmp_path)
    changed = replace(START, seed=2)
    assert one.change(lambda config: replace(config, seed=2)) == (1, changed)
    assert (other.generation, other.read()) == (1, changed)


def test_a_change_starts_from_the_one_before(segment: Segment, tmp_path: Path) -> None:
    one, other = store(segment, tmp_path), store(segment, tmp_path)
    one.change(lambda config: replace(config, seed=2))
    response = Response(target_tokens=5)
    _, config = other.change(lambda config: replace(config, response=response))
    assert config == Config(seed=2, response=response)
    assert one.generation == 2


def test_a_change_to_the_same_is_none(segment: Segment, tmp_path: Path) -> None:
    one = store(segment, tmp_path)
    assert one.change(lambda config: replace(config, seed=1)) == (0, START)
    assert list(tmp_path.iterdir()) == []


def test_an_edit_that_raises_changes_nothing_and_holds_no_lock(
    segment: Segment, tmp_path: Path
) -> None:
    one = store(segment, tmp_path)

    def broken(config: Config) -> Config:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        one.change(broken)
    assert (one.generation, one.read()) == (0, START)
    assert one.change(lambda config: replace(config, seed=3))[0] == 1
