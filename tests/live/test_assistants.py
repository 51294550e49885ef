"""Runs of assistants go on whatever happens to the workers, the server and its disk."""

import json
import resource
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.live.watch import until
from tests.live.workers import kill, pids
from tests.serving import Server

FAST = "latency: {profile: instant, models: {slow: {ttft_mean_ms: 300, tbt_mean_ms: 20}}}\n"
HELLO = {"role": "user", "content": "hi"}


def call(sim: Server, path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
    """Status and body of a request: a POST if it has a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{sim.url}/v1{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def made(sim: Server, path: str, body: Any) -> Any:
    status, answer = call(sim, path, body)
    assert status == 200, answer
    return answer


def ended(sim: Server, run: Any) -> Any:
    """The run once it is over."""
    path = f"/threads/{run['thread_id']}/runs/{run['id']}"
    return until(
        lambda: call(sim, path)[1], lambda now: now["status"] not in ("queued", "in_progress")
    )


def slow_run(sim: Server) -> Any:
    """A run that works for more than two seconds."""
    assistant = made(sim, "/assistants", {"model": "slow"})
    body = {"assistant_id": assistant["id"], "thread": {"messages": [HELLO]}}
    return made(sim, "/threads/runs", body)


@pytest.mark.timed
def test_a_run_ends_when_it_should_though_all_workers_are_killed(
    configured: Callable[..., Server],
) -> None:
    with configured(FAST) as sim:
        run = slow_run(sim)
        kill(sim.port, *pids(sim.port).values())
        assert ended(sim, run)["status"] == "completed"
        _, listed = call(sim, f"/threads/{run['thread_id']}/messages")
        assert [one["role"] for one in listed["data"]] == ["assistant", "user"]


@pytest.mark.timed
def test_nothing_that_was_acknowledged_is_lost(configured: Callable[..., Server]) -> None:
    with configured(FAST) as sim:
        assistant = made(sim, "/assistants", {"model": "gpt-4o"})
        kept: list[Any] = []
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                with suppress(OSError, HTTPException, ValueError):
                    body = {"assistant_id": assistant["id"], "thread": {"messages": [HELLO]}}
                    status, run = call(sim, "/threads/runs", body)
                    if status == 200:
                        kept.append(run)

        users = [threading.Thread(target=work) for _ in range(4)]
        for user in users:
            user.start()
        for reached in (20, 60, 100):
            until(lambda: len(kept), lambda count, reached=reached: count > reached)
            kill(sim.port, max(pids(sim.port).values()))
        stop.set()
        for user in users:
            user.join()
        for run in kept:
            assert ended(sim, run)["status"] == "completed"


@pytest.mark.timed
def test_a_server_goes_on_where_another_one_stopped(
    configured: Callable[..., Server], tmp_path: Path
) -> None:
    text = f"{FAST}store: {{path: {tmp_path / 'kept.db'}}}\n"
    tool = {"type": "function", "function": {"name": "f"}}
    with configured(text) as sim:
        run = slow_run(sim)
        assistant = made(sim, "/assistants", {"model": "gpt-4o", "tools": [tool]})
        body = {"assistant_id": assistant["id"], "thread": {"messages": [HELLO]}}
        waiting = ended(sim, made(sim, "/threads/runs", body))
        assert waiting["status"] == "requires_action"
    with configured(text) as sim:
        assert ended(sim, run)["status"] == "completed"
        path = f"/threads/{waiting['thread_id']}/runs/{waiting['id']}"
        assert call(sim, path)[1] == waiting
        (required,) = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": required["id"], "output": "x"}]
        made(sim, f"{path}/submit_tool_outputs", {"tool_outputs": outputs})
        assert ended(sim, waiting)["status"] == "completed"


def test_a_full_disk(configured: Callable[..., Server], tmp_path: Path) -> None:
    text = f"{FAST}store: {{path: {tmp_path / 'full.db'}}}\n"
    with configured(text) as sim:
        thread = made(sim, "/threads", {})
        for pid in pids(sim.port).values():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 17, resource.RLIM_INFINITY))
        path, long = f"/threads/{thread['id']}/messages", {**HELLO, "content": "x" * 60_000}
        status, answer = until(
            lambda: call(sim, path, long), lambda found: found[0] != 200, pause=0
        )
        assert status == 500
        assert answer["error"]["type"] == "server_error"
        assert call(sim, f"/threads/{thread['id']}")[0] == 200
        body = {"model": "gpt-4o", "messages": [HELLO]}
        assert call(sim, "/chat/completions", body)[0] == 200
        lines = [line for line in sim.output().splitlines() if "the store does not work" in line]
        assert len(lines) == 1
        assert "Traceback" not in sim.output()
        for pid in pids(sim.port).values():
            limit = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
        assert call(sim, path, long)[0] == 200


def test_a_database_that_is_none(configured: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database" * 100)
    for path in (file, tmp_path / "missing" / "x.db"):
        with pytest.raises(
            AssertionError, match=r"store\.path: .* (not a database|unable to open)"
        ):
            configured(f"store: {{path: {path}}}")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/assistants"),
        ("POST", "/threads"),
        ("POST", "/threads/runs"),
        ("POST", "/threads/thread_x/runs"),
        ("GET", "/threads/thread_x/runs/run_x"),
    ],
)
def test_what_is_gone_is_an_unknown_path(gone: Server, method: str, path: str) -> None:
    body = {} if method == "POST" else None
    status, answer = call(gone, path, body)
    assert status == 404
    assert answer["error"] == {
        "message": f"Invalid URL ({method} /v1{path})",
        "type": "invalid_request_error",
        "param": None,
        "code": "unknown_url",
    }


@pytest.fixture(scope="module")
def gone(configured: Callable[..., Server]) -> Any:
    with configured("openai: {assistants: gone}") as server:
        yield server
