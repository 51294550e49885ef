"""Files of recordings, written and read."""

import errno
import os
from pathlib import Path

import pytest

from llmsim.recordings import folder, writer
from llmsim.recordings.lines import to_line
from llmsim.recordings.writer import RETRY, RecordingWriter
from tests.recordings.samples import recording

DAY = 86_400.0


class Clock:
    now = 20_000 * DAY

    def __call__(self) -> float:
        return self.now


def ids(path: Path) -> list[str]:
    return [one.id for one in folder.recordings(path)]


def names(path: Path) -> list[str]:
    return sorted(one.name.rpartition(".")[2] for one in path.iterdir())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    to = RecordingWriter(tmp_path / "new" / "folder")
    for number in range(3):
        assert to.write(recording(number))
    assert ids(tmp_path / "new" / "folder") == ["rec_0000", "rec_0001", "rec_0002"]
    assert names(tmp_path / "new" / "folder") == ["jsonl"]
    to.close()
    assert names(tmp_path / "new" / "folder") == ["zst"]
    assert ids(tmp_path / "new" / "folder") == ["rec_0000", "rec_0001", "rec_0002"]
    assert to.written == 3


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    to = RecordingWriter(tmp_path)
    to.write(recording())
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    to.close()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_ends_with_the_day_and_when_it_is_large(tmp_path: Path) -> None:
    clock = Clock()
    line = len(to_line(recording()))
    to = RecordingWriter(tmp_path, max_file=2 * line, clock=clock)
    for number in range(5):
        to.write(recording(number))
    assert names(tmp_path) == ["jsonl", "zst", "zst"]
    clock.now += DAY
    to.write(recording(5))
    assert names(tmp_path) == ["jsonl", "zst", "zst", "zst"]
    assert len({one.name[:10] for one in tmp_path.iterdir()}) == 2
    assert ids(tmp_path) == [f"rec_{number:04}" for number in range(6)]


def test_two_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    one, other = RecordingWriter(tmp_path), RecordingWriter(tmp_path)
    one.write(recording(1))
    other.write(recording(2))
    one.write(recording(3))
    one.close()
    RecordingWriter(tmp_path).write(recording(4))
    other.write(recording(5))
    assert sorted(ids(tmp_path)) == [f"rec_{number:04}" for number in range(1, 6)]


def test_the_oldest_files_go_when_the_folder_is_full(tmp_path: Path) -> None:
    line = len(to_line(recording()))
    to = RecordingWriter(tmp_path, max_file=line, max_size=3 * line)
    for number in range(40):
        to.write(recording(number))
    assert sum(one.stat().st_size for one in tmp_path.iterdir()) <= 4 * line
    assert ids(tmp_path)[-1] == "rec_0039"
    assert "rec_0000" not in ids(tmp_path)


def test_a_torn_last_line_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "a.jsonl"
    whole = to_line(recording(1)), to_line(recording(2))
    file.write_bytes(b"".join(whole) + to_line(recording(3))[:-30])
    assert ids(tmp_path) == ["rec_0001", "rec_0002"]
    assert f"{file}:3: a torn last line: skipped" in caplog.text


def test_a_broken_line_is_skipped_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(to_line(recording(1)) + b"{}\n\n" + to_line(recording(2)))
    assert ids(file) == ["rec_0001", "rec_0002"]
    assert f"{file}:2: " in caplog.text
    assert "required field" in caplog.text


@pytest.mark.parametrize(("name", "error"), [("none", FileNotFoundError), ("a.txt", ValueError)])
def test_what_is_not_there_is_named(tmp_path: Path, name: str, error: type[Exception]) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(error, match=name):
        folder.files(tmp_path / name)


def test_a_full_disk_loses_no_whole_line_and_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    to = RecordingWriter(tmp_path, clock=clock)
    to.write(recording(1))
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        """Takes a part of each line, and then no more."""
        if len(data) > 100:
            return write(descriptor, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer.os, "write", full)
    assert not to.write(recording(2))
    assert not to.write(recording(3))
    assert to.lost == 2
    assert to.problem == f"No space left on device: {tmp_path}"
    assert caplog.text.count("nothing is recorded, serving goes on") == 1
    assert ids(tmp_path) == ["rec_0001"]
    monkeypatch.setattr(writer.os, "write", write)
    clock.now += RETRY
    assert to.write(recording(4))
    assert not to.problem
    assert ids(tmp_path) == ["rec_0001", "rec_0004"]


def test_a_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    to = RecordingWriter(tmp_path / "file")
    assert not to.write(recording())
    assert not to.write(recording())
    assert caplog.text.count("nothing is recorded") == 1
