"""``llmsim serve`` as far as it does not serve; tests/live does the rest."""

from __future__ import annotations

import resource
import socket
import tempfile
from pathlib import Path

import pytest

from llmsim.config.sources import PATHS
from tests.cli.conftest import Run
from tests.serving import free_port


def free() -> str:
    return str(free_port())


def test_has_a_flag_for_each_key_that_may_have_one(run: Run) -> None:
    text = run("serve", "--help").output
    assert all(f"--{flag.replace('_', '-')} " in text for flag in (*PATHS, "config"))


def test_all_faults_before_anything_starts(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("errors: {rate_limit_rate: 1.5}\n", encoding="utf-8")
    args = ("--config", str(path), "--port", "x", "--latency", "quick", "--target-tokens", "0")
    result = run("serve", *args, LLMSIM_WORKERS="many")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        f"{path}:1",
        "--port",
        "LLMSIM_WORKERS",
        "--latency",
        "--target-tokens",
    ]


def test_a_port_that_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    assert result.exit_code == 1
    assert result.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_no_folder_for_temporary_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    result = run("serve", "--host", "127.0.0.1", "--port", free(), "--workers", "1")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: no folder for temporary files: No usable temporary directory found in ['/tmp']; "
        "TMPDIR may name one that can be written to\n"
    )


def test_a_database_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text(f"store: {{path: {tmp_path}/missing/store.db}}\n", encoding="utf-8")
    result = run("serve", "--config", str(path), "--host", "127.0.0.1", "--port", free())
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: store.path: {tmp_path}/missing/store.db: unable to open database file\n"
    )


@pytest.mark.parametrize(("files", "workers", "needed"), [(50, 1, 56), (100, 12, 111)])
def test_too_few_descriptors(
    run: Run, monkeypatch: pytest.MonkeyPatch, files: int, workers: int, needed: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: None)
    result = run("serve", "--host", "127.0.0.1", "--port", free(), "--workers", str(workers))
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: at most {files} open files are allowed, {needed} are needed: raise the limit "
        "(ulimit -n) or have fewer server.workers\n"
    )


def test_watch_needs_a_file(run: Run) -> None:
    result = run("serve", "--watch")
    assert result.exit_code == 2
    assert "--watch needs a file to watch: --config FILE" in result.stderr
