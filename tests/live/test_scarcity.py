"""What a machine may lack, and what a killed launcher leaves: a clear line, and nothing behind."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.live.http1 import CHAT, chat
from tests.live.watch import stats, until
from tests.live.workers import pids
from tests.serving import Server, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of servers started now."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def start(*args: str, limit: tuple[int, int] | None = None) -> subprocess.CompletedProcess[str]:
    """A server that is expected not to start."""
    command = [sys.executable, "-m", "llmsim", "serve", "--host", "127.0.0.1", "--workers", "1"]

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(limit[0], (limit[1], limit[1]))

    return subprocess.run(
        [*command, "--port", str(free_port()), *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        preexec_fn=limited,
    )


def test_too_few_descriptors(temporary: Path) -> None:
    ended = start(limit=(resource.RLIMIT_NOFILE, 50))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: at most 50 open files are allowed, 56 are needed: ")
    assert len(ended.stderr.splitlines()) == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.timed  # with coverage it could not write what it found
def test_no_room_for_a_database(temporary: Path) -> None:
    ended = start(limit=(resource.RLIMIT_FSIZE, 512))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: cannot make the database: ")
    assert len(ended.stderr.splitlines()) == 1
    assert list(temporary.iterdir()) == []


def test_connections_wait_where_descriptors_are_few(tmp_path: Path) -> None:
    """80 leave 28 connections: others wait, and what a request needs is there."""
    under = ("prlimit", "--nofile=80:80")
    with Server(("--workers", "1", "--latency", "instant"), tmp_path / "log", None, under) as sim:
        assert "a worker takes 28 connections and 4 WebSockets" in sim.output()
        address = ("127.0.0.1", sim.port)
        with httpx.Client(base_url=sim.url, timeout=20) as client:
            assert client.get("/health").status_code == 200
            waiting = [socket.create_connection(address) for _ in range(60)]
            # The store opens files, and so does a change of the configuration.
            assert client.post("/v1/conversations", json={}).status_code == 200
            assert client.patch("/llmsim/config", json={"seed": 1}).status_code == 200
        for one in waiting:
            one.settimeout(20)
            one.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        for one in waiting:
            assert one.recv(64).startswith(b"HTTP/1.1 200")
            one.close()
        assert httpx.post(sim.url + CHAT, content=chat(), timeout=20).status_code == 200


@pytest.fixture
def full(serve: Callable[..., Server], temporary: Path) -> Iterator[Server]:
    """A server whose processes cannot write to files any more."""
    with serve("--workers", "2", "--latency", "instant") as sim:
        for pid in (sim.pid, *pids(sim.port).values()):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))
        yield sim
    assert list(temporary.iterdir()) == []


def test_no_room_while_it_runs(full: Server) -> None:
    with httpx.Client(base_url=full.url, timeout=20) as client:
        change = client.patch("/llmsim/errors", json={"server_error_rate": 1})
        assert change.status_code == 500
        assert "the configuration cannot be written" in change.json()["error"]["message"]
        assert client.get("/llmsim/errors").json()["server_error_rate"] == 0

        stored = client.post("/v1/conversations", json={})
        assert (stored.status_code, stored.json()["error"]["type"]) == (500, "server_error")
        batch = {"custom_id": "a", "params": {"model": "m", "max_tokens": 1, "messages": []}}
        batch["params"]["messages"] = [{"role": "user", "content": "hi"}]  # type: ignore[index]
        version = {"anthropic-version": "2023-06-01"}
        stored = client.post("/v1/messages/batches", json={"requests": [batch]}, headers=version)
        assert (stored.status_code, stored.json()["error"]["type"]) == (500, "api_error")

        assert client.post(CHAT, content=chat()).status_code == 200


def folders(temporary: Path) -> list[Path]:
    return list(temporary.glob("llmsim-*"))


def test_workers_remove_the_folder_of_a_killed_launcher(
    serve: Callable[..., Server], temporary: Path
) -> None:
    sim = serve("--workers", "2")
    workers = pids(sim.port).values()
    assert len(folders(temporary)) == 1
    sim.process.kill()
    sim.process.wait()
    until(lambda: folders(temporary), lambda left: not left)
    until(lambda: [pid for pid in workers if Path(f"/proc/{pid}").exists()], lambda left: not left)


def test_the_next_start_removes_the_folder_of_a_server_that_was_killed_whole(
    serve: Callable[..., Server], temporary: Path
) -> None:
    sim = serve("--workers", "2")
    workers = list(pids(sim.port).values())
    sim.process.send_signal(signal.SIGSTOP)  # else it would replace them
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    sim.process.kill()
    sim.process.wait()
    (left,) = folders(temporary)
    with serve("--workers", "1") as sim:
        assert left not in folders(temporary)
        assert f"removed {left}: its server was killed" in sim.output()
    assert folders(temporary) == []


def test_a_worker_whose_launcher_was_killed_does_not_wait_for_ever(
    configured: Callable[..., Server], temporary: Path
) -> None:
    sim = configured(
        "server: {drain_timeout_ms: 500}\nlatency: {ttft_mean_ms: 0, tbt_mean_ms: 3000}\n"
    )
    workers = list(pids(sim.port).values())
    body = chat(stream=True, max_tokens=60)
    with httpx.stream("POST", sim.url + CHAT, content=body, timeout=20) as stream:
        lines = stream.iter_lines()
        next(lines)
        sim.process.kill()
        sim.process.wait()
        until(lambda: folders(temporary), lambda left: not left)
    until(lambda: [pid for pid in workers if Path(f"/proc/{pid}").exists()], lambda left: not left)


def test_an_idle_server_ends_without_killing_anything(serve: Callable[..., Server]) -> None:
    with serve("--workers", "4") as sim:
        pass
    assert "Killing" not in sim.output()
    assert "Unexpected" not in sim.output()


def test_workers_that_are_told_twice_end_once(serve: Callable[..., Server]) -> None:
    """As by a process group and its launcher; Granian's could wait for itself for ever."""
    for _ in range(3):
        sim = serve("--workers", "4")
        for pid in pids_of(sim):
            for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                os.kill(pid, number)
        started = time.monotonic()
        assert sim.stop() == 0
        assert time.monotonic() - started < 20
        assert "Killing" not in sim.output()


def pids_of(sim: Server) -> list[int]:
    """The launcher, so that it knows why the others end, and four workers."""
    workers = until(lambda: stats(sim.port)["workers"], lambda now: len(now) == 4)
    return [sim.pid, *(one["pid"] for one in workers)]
