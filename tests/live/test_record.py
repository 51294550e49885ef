"""``llmsim record`` between clients and services."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import types
from websockets.sync.client import connect

from llmsim.recordings import folder
from llmsim.recordings.recording import Recording, ResponseEnd
from tests.live.watch import until
from tests.serving import Server, free_port

Serve = Callable[..., Server]


class Proxy:
    """`llmsim record` in front of services on this machine."""

    def __init__(self, out: Path, *args: str, log: Path | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out = out
        self.log = log or out.parent / "proxy.log"
        command = [sys.executable, "-m", "llmsim", "record", "--out", str(out)]
        with self.log.open("wb") as sink:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--allow", "127.0.0.1", *args],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except OSError:
                return False

    def recordings(self, count: int) -> list[Recording]:
        """That many, once they are written."""
        return until(lambda: list(folder.recordings(self.out)), lambda found: len(found) >= count)


@contextmanager
def proxied(out: Path, *args: str) -> Iterator[Proxy]:
    proxy = Proxy(out, *args)
    try:
        until(proxy.ready, bool)
        yield proxy
        proxy.process.send_signal(signal.SIGTERM)
        assert proxy.process.wait(30) == 0, proxy.log.read_text()
    finally:
        if proxy.process.poll() is None:
            proxy.process.kill()
            proxy.process.wait()


@pytest.fixture
def recorded(serve: Serve, tmp_path: Path) -> Iterator[Proxy]:
    with serve("--workers", "1", "--latency", "fast") as sim:
        names = ("openai", "anthropic", "gemini")
        flags = [flag for name in names for flag in ("--upstream", f"{name}={sim.url}")]
        with proxied(tmp_path / "out", *flags) as proxy:
            yield proxy


def test_every_sdk_through_the_proxy(recorded: Proxy) -> None:
    """Plain and streamed; what was recorded is what came."""
    key = "sk-proj-t8Qm3nXw0LrZk5VbYd2J"
    chat = openai.OpenAI(base_url=recorded.url + "/v1", api_key=key)
    said = [{"role": "user", "content": "My mail is ann.baker@corp.io."}]
    plain = chat.chat.completions.create(model="gpt-4o", messages=said)  # type: ignore[call-overload]
    stream = chat.chat.completions.create(  # type: ignore[call-overload]
        model="gpt-4o", messages=said, stream=True, stream_options={"include_usage": True}
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    with chat.responses.stream(model="gpt-5", input="Hello") as events:
        response = events.get_final_response()
    claude = anthropic.Anthropic(base_url=recorded.url, api_key=key)
    with claude.messages.stream(
        model="claude-sonnet-4-5",
        max_tokens=50,
        messages=said,  # type: ignore[arg-type]
    ) as messages:
        message = messages.get_final_message()
    options = types.HttpOptions(base_url=recorded.url)
    gemini = genai.Client(api_key=key, http_options=options)
    pieces = gemini.models.generate_content_stream(model="gemini-2.5-flash", contents="Hello")
    parts = "".join(piece.text or "" for piece in pieces)

    found = recorded.recordings(5)
    assert [one.model for one in found] == [
        "gpt-4o", "gpt-4o", "gpt-5", "claude-sonnet-4-5", "gemini-2.5-flash",
    ]  # fmt: skip
    assert [one.stream for one in found] == [False, True, True, True, True]
    assert {one.response.end for one in found} == {ResponseEnd.WHOLE}
    assert all(one.response.status == 200 for one in found)
    assert found[0].correlation["answer"] == plain.id
    assert found[0].usage is not None
    assert found[0].usage.completion == plain.usage.completion_tokens
    assert found[2].correlation["answer"] == response.id
    assert found[3].correlation["answer"] == message.id
    for one, words in zip(found[1:], (text, response.output_text), strict=False):
        assert sum(frame.tokens for frame in one.response.frames) == pytest.approx(
            len(words.split()), rel=0.6
        )
    assert parts
    kept = "".join(file.read_bytes().decode() for file in recorded.out.glob("*.jsonl"))
    assert key not in kept
    assert "ann.baker@corp.io" not in kept
    assert found[0].key == found[1].key


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
ENDLESS = 256 * 2**20
FRAMES = [b"data: 1\n", b"\n", b"data: \xe2\x82", b"\xac\n\ndata: 2\r\n\r\n", b": ping\n\n"]


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


class Service:
    """A service on a socket, which answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.port = 0

    async def __aenter__(self) -> "Service":
        self._server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()


async def streaming(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    for frame in FRAMES:
        writer.write(chunk(frame))
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.write(b"0\r\n\r\n")
    writer.close()


async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + chunk(FRAMES[0]))
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n")
    writer.close()


def against(
    answer: Answer, tmp_path: Path, asking: Callable[[str], Any], *args: str
) -> tuple[Any, Recording]:
    """What a client sees of such a service through the proxy, and what is recorded."""

    async def scene() -> tuple[Any, Recording]:
        async with Service(answer) as service:
            upstream = f"openai=http://127.0.0.1:{service.port}"

            def ask() -> tuple[Any, Recording]:
                with proxied(tmp_path / "out", "--upstream", upstream, *args) as proxy:
                    return asking(proxy.url), proxy.recordings(1)[0]

            return await asyncio.to_thread(ask)

    return asyncio.run(scene())


def frames_of(url: str) -> tuple[int, list[bytes]]:
    with httpx.stream("POST", url + "/v1/x", json={}, timeout=20) as response:
        return response.status_code, list(response.iter_raw())


def test_bytes_and_borders_of_frames_stay(tmp_path: Path) -> None:
    (status, frames), kept = against(streaming, tmp_path, frames_of)
    assert (status, frames) == (200, FRAMES)
    assert [frame.body.content for frame in kept.response.frames] == FRAMES
    times = [frame.at for frame in kept.response.frames]
    assert times == sorted(times)
    assert times[-1] - times[0] >= 0.19


def test_what_breaks_off_breaks_off_for_the_client(tmp_path: Path) -> None:
    def ask(url: str) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            frames_of(url)

    _, kept = against(breaking, tmp_path, ask)
    assert kept.response.end is ResponseEnd.CUT
    assert kept.response.content == FRAMES[0]


@pytest.mark.parametrize(
    ("answer", "status", "message", "end"),
    [
        (silent, 504, "did not answer in time", ResponseEnd.TIMEOUT),
        (elsewhere, 502, "redirects elsewhere", ResponseEnd.WHOLE),
    ],
)
def test_a_service_that_fails_fails_in_the_providers_words(
    answer: Answer, status: int, message: str, end: ResponseEnd, tmp_path: Path
) -> None:
    def ask(url: str) -> httpx.Response:
        return httpx.post(url + "/v1/chat/completions", json={}, timeout=20)

    response, kept = against(answer, tmp_path, ask, "--timeout", "1")
    assert response.status_code == status
    error = response.json()["error"]
    assert message in error["message"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert kept.response.end is end


def test_no_more_is_read_for_a_client_that_reads_nothing(tmp_path: Path) -> None:
    sent = [0]

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        try:
            while sent[0] < ENDLESS:
                writer.write(chunk(bytes(65_536)))
                await writer.drain()
                sent[0] += 65_536
        except OSError:  # the client has left, and so has the proxy
            pass
        writer.close()

    def ask(url: str) -> int:
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
            connection.request("POST", "/v1/x", b"{}")
            connection.getresponse()
            seen = -1
            while sent[0] != seen:  # until it stands still
                seen = sent[0]
                time.sleep(1)
            return seen

    seen, kept = against(endless, tmp_path, ask)
    assert 0 < seen < ENDLESS / 4
    assert kept.response.end is ResponseEnd.LEFT


def test_a_websocket_passes_as_it_is_and_its_turns_are_recorded(recorded: Proxy) -> None:
    socket = f"{recorded.url.replace('http', 'ws')}/v1/responses"
    asked = {"type": "response.create", "model": "gpt-4o", "input": "Hello"}
    with connect(socket, compression=None) as connection:
        for _ in range(2):
            connection.send(json.dumps(asked))
            came = [connection.recv(timeout=20, decode=False)]
            while b'"response.completed"' not in came[-1]:
                came.append(connection.recv(timeout=20, decode=False))
        connection.send(json.dumps(asked))  # and leaves before it is answered
    *whole, left = recorded.recordings(3)
    assert [one.response.end for one in whole] == [ResponseEnd.WHOLE] * 2
    assert left.response.end is ResponseEnd.LEFT
    frames = [frame.body.content for frame in whole[1].response.frames]
    assert [one.partition(b"data: ")[2][:-2] for one in frames] == came
    assert sum(frame.tokens for frame in whole[1].response.frames) > 50
    assert whole[0].key == whole[1].key


def test_workers_have_files_of_their_own_and_are_counted_together(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        upstream = f"openai=http://127.0.0.1:{closed.getsockname()[1]}"
        flags = ("--upstream", upstream, "--workers", "2")
        with proxied(tmp_path / "out", *flags) as proxy:

            def asked() -> int:
                httpx.post(proxy.url + "/v1/chat/completions", json={}, timeout=20)
                return len(list(proxy.out.glob("*.jsonl")))

            until(asked, lambda files: files == 2)
            url = proxy.url + "/llmsim/recording"
            kept = len(list(folder.recordings(proxy.out)))
            state = until(
                lambda: httpx.get(url, timeout=20).json(), lambda now: now["recordings"] >= kept
            )
            assert (state["workers"], state["stopped"], state["problem"]) == (2, 0, None)


def test_a_circle_is_refused(tmp_path: Path) -> None:
    port = free_port()
    args = ("--upstream", f"openai=http://127.0.0.1:{port}", "--port", str(port))
    proxy = Proxy(tmp_path / "out", *args)
    proxy.port, proxy.url = port, f"http://127.0.0.1:{port}"
    try:
        until(proxy.ready, bool)
        response = httpx.post(proxy.url + "/v1/chat/completions", json={}, timeout=20)
        assert response.status_code == 502
        assert "circle" in response.text
    finally:
        proxy.process.terminate()
        proxy.process.wait(30)


def test_nobody_answers_and_no_upstream_is_known(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        upstream = f"openai=http://127.0.0.1:{closed.getsockname()[1]}"
        with proxied(tmp_path / "out", "--upstream", upstream) as proxy:
            response = httpx.post(proxy.url + "/v1/chat/completions", json={}, timeout=20)
            assert response.status_code == 502
            response = httpx.post(proxy.url + "/v1/messages", json={}, timeout=20)
            assert response.status_code == 404
            assert response.json()["type"] == "error"
            (kept,) = proxy.recordings(1)
            assert kept.response.end is ResponseEnd.UNANSWERED


def test_a_private_address_is_refused_at_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "llmsim", "record", "--out", str(tmp_path / "out")]
    result = subprocess.run(
        [*command, "--upstream", "openai=http://169.254.169.254"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 2
    assert "169.254.169.254, which is private" in result.stderr


def test_a_kill_loses_nothing_that_was_complete(serve: Serve, tmp_path: Path) -> None:
    with serve("--workers", "1", "--latency", "instant") as sim:
        proxy = Proxy(tmp_path / "out", "--upstream", f"openai={sim.url}")
        try:
            until(proxy.ready, bool)
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
            for _ in range(20):
                httpx.post(proxy.url + "/v1/chat/completions", json=body, timeout=20)
            proxy.recordings(20)
        finally:
            (worker,) = _children(proxy.process.pid)
            os.kill(worker, signal.SIGKILL)
            proxy.process.kill()
            proxy.process.wait()
    assert len(list(folder.recordings(proxy.out))) == 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "llmsim-test", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("may not mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_recording_and_not_serving(small_disk: Path, tmp_path: Path) -> None:
    flags = ("--upstream", "openai=http://127.0.0.1:1")
    proxy = Proxy(small_disk / "out", *flags, log=tmp_path / "proxy.log")
    try:
        until(proxy.ready, bool)
        body = {"model": "gpt-4o", "input": "word " * 2000}

        def asked() -> Any:
            assert httpx.post(f"{proxy.url}/v1/responses", json=body, timeout=20).status_code == 502
            return httpx.get(f"{proxy.url}/llmsim/recording", timeout=20).json()

        state = until(asked, lambda now: now["stopped"] == 1)
        assert state["problem"] == "No space left on device"
        assert state["lost"] >= 1
        assert asked()["recordings"] == state["recordings"]
        kept = [line for file in folder.files(proxy.out) for line in folder.lines(file)]
        assert len(kept) == state["recordings"] > 0
        assert not [line for line in kept if line.recording is None]
        assert proxy.log.read_text().count("nothing is recorded, serving goes on") == 1
    finally:
        proxy.process.kill()
        proxy.process.wait()


def test_nothing_is_left_of_a_proxy_whose_launcher_is_killed(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path / "out", "--upstream", "openai=http://127.0.0.1:1")
    try:
        until(proxy.ready, bool)
        (worker,) = _children(proxy.process.pid)
    finally:
        proxy.process.kill()
        proxy.process.wait()
    until(lambda: _ended(Path(f"/proc/{worker}/stat")), bool)


def _children(pid: int) -> list[int]:
    """The workers, without Python's own helpers."""
    names = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(one) for one in names if b"tracker" not in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def _ended(stat: Path) -> bool:
    """Whether a process is gone, or waits only for somebody to ask how it ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
