"""When a changed file is a reload: once it is whole, and only then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llmsim.server.attached.config_watch import ConfigWatch

Change = Callable[[Path], object]


def rewritten(path: Path) -> None:
    path.write_text("seed: 22\n")


def replaced(path: Path) -> None:
    """As editors do: another file in its place, of the same size."""
    new = path.with_suffix(".new")
    new.write_text("seed: 2\n")
    new.replace(path)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


class Watched:
    def __init__(self, path: Path) -> None:
        self.reloads = 0
        self.watch = ConfigWatch(lambda: (path,), self._reload)

    def _reload(self) -> None:
        self.reloads += 1

    def looks(self, times: int) -> int:
        for _ in range(times):
            self.watch.look(0.0)
        return self.reloads


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "llmsim.yaml"
    path.write_text("seed: 1\n")
    return path


def test_nothing_changed_nothing_reloaded(path: Path) -> None:
    assert Watched(path).looks(5) == 0


@pytest.mark.parametrize("change", [rewritten, replaced, touched])
def test_a_change_is_one_reload(path: Path, change: Change) -> None:
    watched = Watched(path)
    change(path)
    assert watched.looks(5) == 1


def test_a_file_that_is_still_being_written_waits(path: Path) -> None:
    watched = Watched(path)
    for size in range(1, 4):
        path.write_text("#" * size)
        assert watched.looks(1) == 0
    assert watched.looks(1) == 1


def test_a_missing_file_changes_nothing(path: Path) -> None:
    watched = Watched(path)
    path.unlink()
    assert watched.looks(5) == 0
    rewritten(path)
    assert watched.looks(2) == 1


def test_what_kubernetes_does_to_a_mounted_configmap(tmp_path: Path) -> None:
    for version in "12":
        (tmp_path / version).mkdir()
        (tmp_path / version / "llmsim.yaml").write_text("seed: 1\n")
        os.utime(tmp_path / version / "llmsim.yaml", ns=(1, 1))
    data = tmp_path / "..data"
    data.symlink_to("1")
    (tmp_path / "llmsim.yaml").symlink_to("..data/llmsim.yaml")
    watched = Watched(tmp_path / "llmsim.yaml")
    new = tmp_path / "..data_tmp"
    new.symlink_to("2")
    new.replace(data)
    assert watched.looks(5) == 1
