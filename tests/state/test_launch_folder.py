"""The folder of a launch: who holds it, and who removes it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from llmsim.state import launch_folder
from llmsim.state.launch_folder import LOCK, hold, leave, new_folder


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def folders(parent: Path) -> list[str]:
    return sorted(str(one) for one in parent.iterdir())


def in_a_child(what: Callable[[], None], kill: bool = False) -> None:
    """Do something in a forked process, which then ends, or is killed as it would be by SIGKILL."""
    child = os.fork()
    if not child:
        try:
            what()
        finally:
            os._exit(1 if kill else 0)
    os.waitpid(child, 0)


def killed_launch() -> str:
    """The folder of a launch that was killed."""
    path: list[str] = []
    reader, writer = os.pipe()

    def launch() -> None:
        with ExitStack() as stack:
            folder = stack.enter_context(new_folder())
            Path(folder, "config").write_text("secret")
            os.write(writer, folder.encode())
            os._exit(1)  # without leaving the contexts

    in_a_child(launch)
    path.append(os.read(reader, 4096).decode())
    os.close(reader)
    os.close(writer)
    return path[0]


def test_it_is_removed_in_the_end(parent: Path) -> None:
    with new_folder() as folder:
        Path(folder, "config").touch()
        assert folders(parent) == [folder]
        assert os.stat(folder).st_mode & 0o777 == 0o700
    assert folders(parent) == []


def test_one_of_a_launch_that_was_killed_is_removed_by_the_next(parent: Path) -> None:
    left = killed_launch()
    assert folders(parent) == [left]
    with new_folder() as folder:
        assert folders(parent) == [folder]


def test_one_that_is_in_use_stays(parent: Path) -> None:
    with new_folder() as first, new_folder() as second:
        assert folders(parent) == sorted([first, second])


def test_one_whose_launcher_was_killed_stays_while_a_worker_is_there(parent: Path) -> None:
    left = killed_launch()
    first, second = hold(left), hold(left)
    with new_folder() as other:
        assert folders(parent) == sorted([left, other])
    leave(left, first)
    assert folders(parent) == [left]
    leave(left, second)
    assert folders(parent) == []


def test_a_worker_does_not_remove_that_of_a_launcher_that_is_there(parent: Path) -> None:
    with new_folder() as folder:
        leave(folder, hold(folder))
        assert folders(parent) == [folder]


def test_a_forked_worker_holds_it_no_longer_than_it_says(parent: Path) -> None:
    """It has a copy of the launcher's descriptor, and with it of its lock."""
    with new_folder() as folder:
        reader, writer = os.pipe()

        def work() -> None:
            held = hold(folder)
            copies = [one for one in os.listdir("/proc/self/fd") if is_lock(int(one))]
            leave(folder, held)
            os.write(writer, str(len(copies)).encode())

        def is_lock(descriptor: int) -> bool:
            try:
                return os.path.samestat(os.fstat(descriptor), os.stat(Path(folder, LOCK)))
            except OSError:
                return False

        in_a_child(work)
        assert os.read(reader, 9) == b"1"
        os.close(reader)
        os.close(writer)
        assert folders(parent) == [folder]


@pytest.mark.parametrize("make", ["file", "without a lock", "link", "other name", "of another"])
def test_what_is_not_a_launchs_folder_is_left_alone(
    parent: Path,
    tmp_path_factory: pytest.TempPathFactory,
    make: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = parent / ("other-x" if make == "other name" else "llmsim-x")
    if make == "file":
        path.touch()
    elif make == "link":
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (elsewhere / LOCK).touch()
        path.symlink_to(elsewhere)
    else:
        path.mkdir()
        if make != "without a lock":
            (path / LOCK).touch()
    if make == "of another":
        monkeypatch.setattr(launch_folder.os, "getuid", lambda: os.stat(path).st_uid + 1)
    with new_folder():
        pass
    assert folders(parent) == [str(path)]


def test_without_a_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    with pytest.raises(FileNotFoundError), new_folder():
        pass
