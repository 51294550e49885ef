"""`llmsim.Server`: starts, serves, steers, and ends with whoever started it."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

import llmsim
from llmsim.server.attached.ready_file import accepts
from tests.serving import START_LIMIT, STOP_LIMIT, Server

CONFIG = {"latency": {"profile": "instant"}, "response": {"generator": "fixed:Hello."}}
LINGER = """\
import os, sys, time
sys.path.insert(0, {root!r})
import llmsim
server = llmsim.Server().start()
print(server.url, server.pid, flush=True)
{then}
"""


@pytest.fixture(scope="module")
def own() -> Iterator[llmsim.Server]:
    with llmsim.Server(CONFIG) as server:
        yield server


def ask(url: str, content: str = "Hi", **headers: str) -> dict[str, object]:
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]})
    sent = Request(f"{url}/chat/completions", body.encode(), headers)
    sent.add_header("content-type", "application/json")
    with urlopen(sent, timeout=START_LIMIT) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def until(seen: Callable[[], bool], limit: float = STOP_LIMIT) -> bool:
    deadline = time.monotonic() + limit
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_server_answers_as_it_is_configured(own: llmsim.Server) -> None:
    assert "Hello." in json.dumps(ask(own.openai_url))
    assert own.output() == ""


def test_environment_variables_lead_to_it(own: llmsim.Server) -> None:
    env = own.env()
    assert env["OPENAI_BASE_URL"] == own.openai_url == f"{own.url}/v1"
    assert env["ANTHROPIC_BASE_URL"] == env["GOOGLE_GEMINI_BASE_URL"] == own.url
    assert env["OPENAI_API_KEY"] == env["ANTHROPIC_API_KEY"] == env["GEMINI_API_KEY"] == "llmsim"


def test_the_client_steers_it(own: llmsim.Server) -> None:
    client = own.client()
    mock = {"name": "weather", "match": {"content_contains": "weather"}}
    client.add_mock({**mock, "response": {"content": "Sunny."}})
    assert "Sunny." in json.dumps(ask(own.openai_url, "What is the weather?"))
    assert [(one["name"], one["hits"]) for one in client.mocks()] == [("weather", 1)]
    client.reset()
    assert client.mocks()[0]["hits"] == 0
    client.clear_mocks()
    assert client.mocks() == []
    assert client.patch({"seed": 7})["seed"] == 7
    assert client.section("seed") == 7
    assert client.replace("seed", None) is None
    assert client.limits() == []
    assert client.stats()["uptime_s"] > 0


def test_the_client_asks_what_was_sent(own: llmsim.Server) -> None:
    answer = ask(own.openai_url, "Remember me")
    last = own.client().requests()[-1]
    assert (last.model, last.status, last.text) == ("gpt-4o", 200, "Remember me")
    assert last.usage["completion"] == 2
    assert own.client().request(str(answer["id"])).id == last.id


def test_the_client_says_what_is_wrong(own: llmsim.Server) -> None:
    with pytest.raises(llmsim.ControlError, match=r"mocks.*unknown key") as caught:
        own.client().add_mock({"respond": {}})
    assert caught.value.status == 400
    assert caught.value.faults
    with pytest.raises(llmsim.ControlError) as caught:
        llmsim.Client("http://127.0.0.1:1").stats()
    assert caught.value.status == 0


def test_an_asynchronous_test_starts_one_too() -> None:
    async def use() -> bool:
        async with llmsim.Server(CONFIG) as server:
            return await asyncio.to_thread(ask, server.openai_url) is not None

    assert asyncio.run(use())


def test_a_file_configures_it_and_a_token_protects_it(tmp_path: Path) -> None:
    file = tmp_path / "llmsim.yaml"
    file.write_text("seed: 5\nserver: {warm: []}\n")
    with llmsim.Server(file, token="secret") as server:
        assert server.client().section("seed") == 5
        with pytest.raises(llmsim.ControlError) as caught:
            llmsim.Client(server.url).stats()
        assert caught.value.status == 401


def test_mistakes_are_said_when_it_starts() -> None:
    with pytest.raises(llmsim.CannotServe, match=r"^seed: .*'x'"), llmsim.Server({"seed": "x"}):
        pass


@pytest.mark.parametrize("then", ["", "os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_it_ends_with_the_process_that_started_it(then: str) -> None:
    code = LINGER.format(root=str(Path(llmsim.__file__).parents[1]), then=then)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    url, pid = ended.stdout.split()
    port = int(url.rpartition(":")[2])
    assert until(lambda: not accepts("127.0.0.1", port) and not alive(int(pid)))


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_ready_file_has_the_address_while_there_is_one(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """On a port that the server found by itself."""
    file = tmp_path / "url"
    file.write_text("http://stale\n")
    command = [sys.executable, "-m", "llmsim", "serve", "--host", "127.0.0.1", "--port", "0"]
    more = ["--workers", "2", "--ready-file", str(file)]
    with subprocess.Popen([*command, *more], stderr=subprocess.DEVNULL) as process:
        try:
            found = until(lambda: file.exists() and "stale" not in file.read_text(), START_LIMIT)
            assert found
            with urlopen(f"{file.read_text().strip()}/ready", timeout=10) as answer:
                assert json.load(answer) == {"status": "ready", "workers": 2}
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_LIMIT)
    assert not list(tmp_path.iterdir())
