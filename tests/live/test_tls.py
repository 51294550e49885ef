"""TLS: official clients, HTTP/2, WebSockets, certificates of clients, and those that change."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
import uvloop
from google import genai
from websockets.sync.client import connect

from llmsim.proxy.client.http1 import Http1Connection
from llmsim.proxy.client.http2 import Http2Connection
from llmsim.proxy.client.pool import ServiceClient
from tests.certificates import Pair, client_pair, serial, server_pair
from tests.live.http1 import CHAT, HOST, Connection, chat, post
from tests.live.http2 import Http2
from tests.live.watch import until
from tests.serving import Server

LATENCY = """
latency:
  profile: fast
  models:
    slow: {ttft_mean_ms: 50, ttft_stddev_ms: 0, tbt_mean_ms: 100, tbt_stddev_ms: 0}
"""


def trusting(folder: Path, own: Pair | None = None, alpn: str = "http/1.1") -> ssl.SSLContext:
    """How a client speaks TLS that trusts the authority in the folder."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.set_alpn_protocols([alpn])
    if own is not None:
        context.load_cert_chain(*own)
    return context


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    server_pair(made)
    return made


@pytest.fixture(scope="module")
def secure(configured: Callable[..., Server], folder: Path) -> Iterator[Server]:
    files = f"cert: {folder}/server.pem, key: {folder}/server.key"
    text = f"server: {{tls: {{{files}}}, stall_timeout_ms: 800}}{LATENCY}"
    with configured(text, tls=trusting(folder)) as sim:
        yield sim


@pytest.fixture
def verify(folder: Path) -> ssl.SSLContext:
    return trusting(folder)


def seen(port: int, context: ssl.SSLContext) -> str:
    """The serial number of the certificate that a new connection gets."""
    with (
        socket.create_connection((HOST, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        found = wrapped.getpeercert()
    assert found
    return str(found["serialNumber"])


def test_openai(secure: Server, verify: ssl.SSLContext) -> None:
    http = openai.DefaultHttpxClient(verify=verify, trust_env=False)
    with openai.OpenAI(base_url=f"{secure.url}/v1", api_key="x", http_client=http) as client:
        stream = client.chat.completions.create(
            model="gpt-4o", max_tokens=5, stream=True, messages=[{"role": "user", "content": "hi"}]
        )
        assert [one.choices[0].finish_reason for one in stream][-1] == "length"


def test_anthropic(secure: Server, verify: ssl.SSLContext) -> None:
    http = anthropic.DefaultHttpxClient(verify=verify, trust_env=False)
    with anthropic.Anthropic(base_url=secure.url, api_key="x", http_client=http) as client:
        answer = client.messages.create(
            model="claude-sonnet-4-6", max_tokens=5, messages=[{"role": "user", "content": "hi"}]
        )
        assert answer.usage.output_tokens == 5


def test_gemini(secure: Server, verify: ssl.SSLContext) -> None:
    options = genai.types.HttpOptions(base_url=secure.url, client_args={"verify": verify})
    client = genai.Client(api_key="x", http_options=options)
    answer = client.models.generate_content(model="gemini-2.5-flash", contents="hi")
    assert answer.text


def test_who_does_not_trust_the_authority_does_not_get_in(secure: Server) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{secure.url}/health", trust_env=False)


@pytest.mark.parametrize(("http2", "version"), [(False, "HTTP/1.1"), (True, "HTTP/2")])
def test_alpn(secure: Server, verify: ssl.SSLContext, http2: bool, version: str) -> None:
    with httpx.Client(verify=verify, http2=http2, trust_env=False) as client:
        answer = client.post(f"{secure.url}{CHAT}", content=chat(max_tokens=5))
    assert (answer.status_code, answer.http_version) == (200, version)


def test_tls_1_2(secure: Server, verify: ssl.SSLContext) -> None:
    verify.maximum_version = ssl.TLSVersion.TLSv1_2
    assert seen(secure.port, verify)


def test_websockets(secure: Server, verify: ssl.SSLContext) -> None:
    url = secure.url.replace("https", "wss") + "/v1/responses"
    asked = {"type": "response.create", "model": "gpt-4o", "input": "hi"}
    with connect(url, ssl=verify, proxy=None) as socket_:
        socket_.send(json.dumps(asked))
        while json.loads(socket_.recv(30))["type"] != "response.completed":
            pass


def test_links_are_https(secure: Server, verify: ssl.SSLContext) -> None:
    with httpx.Client(verify=verify, trust_env=False) as client:
        asked = {"model": "dall-e-3", "prompt": "an otter"}
        answer = client.post(f"{secure.url}/v1/images/generations", json=asked)
        url = answer.json()["data"][0]["url"]
        assert url.startswith(f"{secure.url}/")
        assert client.get(url).status_code == 200


def test_ctl(secure: Server, folder: Path) -> None:
    def ctl(*args: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "llmsim", "ctl", "--url", secure.url, *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    assert ctl("--ca", f"{folder}/ca.pem", "get", "seed") == (0, "")
    assert ctl("--insecure", "get", "seed") == (0, "")
    code, error = ctl("get", "seed")
    assert code == 1
    assert "certificate is not trusted" in error
    assert "--ca FILE" in error


async def events_until_cut(connection: Connection) -> int:
    """How many events of a stream come before its connection breaks."""
    count = 0
    with suppress(EOFError, OSError):
        while await connection.event() is not None:
            count += 1
        raise AssertionError("the stream has ended")
    return count


def test_a_cut_comes_after_all_that_was_sent(secure: Server, verify: ssl.SSLContext) -> None:
    """The kernel counts what is sent and what TLS adds, so it cannot say that all was written."""

    async def scene() -> list[int]:
        counts = []
        for _ in range(5):
            async with await Connection.to(secure.port, tls=verify) as connection:
                body = chat(model="gpt-4o", stream=True, max_tokens=400)
                headers = (
                    "x-llmsim-fault: cut; after=300",
                    "x-llmsim-latency: ttft_mean_ms=1,tbt_mean_ms=0.3",
                    "x-llmsim-target-tokens: 400",
                )
                await connection.send(post(body, *headers))
                await connection.head()
                counts.append(await events_until_cut(connection))
        return counts

    counts = asyncio.run(scene())
    assert len(set(counts)) == 1
    assert counts[0] >= 300


@pytest.mark.timed
@pytest.mark.parametrize("http2", [False, True])
def test_clients_that_stall_are_dropped(
    secure: Server, folder: Path, verify: ssl.SSLContext, http2: bool
) -> None:
    flood = (
        ("x-llmsim-latency", "ttft_mean_ms=0,tbt_mean_ms=0.02"),
        ("x-llmsim-target-tokens", "900000"),
    )
    body = chat(model="mine", stream=True)

    def aborted() -> int:
        return int(stats(secure, verify)["requests"]["aborted"])

    async def scene() -> None:
        before = await asyncio.to_thread(aborted)
        if http2:
            second = await Http2.to(secure.port, 0, trusting(folder, alpn="h2"))
            await second.ask(body, *flood)
        else:
            lines = [f"{name}: {value}" for name, value in flood]
            first = await Connection.to(secure.port, 4096, verify)
            await first.send(post(body, *lines))
        await asyncio.to_thread(until, aborted, lambda now: now > before)

    asyncio.run(scene())


@pytest.mark.timed
def test_requests_have_to_come_in_time(
    configured: Callable[..., Server], folder: Path, verify: ssl.SSLContext
) -> None:
    """A connection without a request is closed, a body that does not end gets 408; an answer may
    take longer than both."""
    files = f"cert: {folder}/server.pem, key: {folder}/server.key"
    bounds = "header_timeout_ms: 1000, body_timeout_ms: 1000"
    text = f"server: {{tls: {{{files}}}, {bounds}}}\nlatency: {{profile: fast}}"

    async def scene(port: int) -> None:
        async with (
            await Connection.to(port, tls=verify) as silent,
            await Connection.to(port, tls=verify) as waiting,
            await Connection.to(port, tls=verify) as half,
        ):
            await half.send(post(chat())[:-5])
            await waiting.send(post(chat(), "x-llmsim-latency: ttft_mean_ms=6000,tbt_mean_ms=0"))
            async with asyncio.timeout(60):
                assert await silent.ended()
                assert (await half.answer()).status == 408
                assert (await waiting.answer()).status == 200

    with configured(text, tls=verify) as sim:
        asyncio.run(scene(sim.port))


def test_clients_need_a_certificate_where_there_are_roots_for_them(
    configured: Callable[..., Server], folder: Path
) -> None:
    own, stranger = client_pair(folder), client_pair(folder / "strangers")
    files = f"cert: {folder}/server.pem, key: {folder}/server.key, client_ca: {folder}/ca.pem"
    text = f"server: {{tls: {{{files}, min_version: 1.3}}}}"
    with configured(text, tls=trusting(folder, own)) as sim:
        for one in (None, stranger):
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{sim.url}/health", verify=trusting(folder, one), trust_env=False)
        verify = trusting(folder, own)
        assert httpx.get(f"{sim.url}/health", verify=verify, trust_env=False).status_code == 200
        verify.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{sim.url}/health", verify=verify, trust_env=False)


class OpenStream:
    """A stream of 60 tokens, ten a second, on a connection of its own, read in a thread."""

    def __init__(self, url: str, verify: ssl.SSLContext) -> None:
        self._url, self._verify = url, verify
        self._begun = threading.Event()
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._begun.wait(60)

    def _read(self) -> None:
        body = chat(model="slow", stream=True, max_tokens=60)
        with (
            httpx.Client(verify=self._verify, trust_env=False, timeout=60) as client,
            client.stream("POST", f"{self._url}{CHAT}", content=body) as answer,
        ):
            for line in answer.iter_lines():
                self._begun.set()
                if line:
                    self.lines.append(line)

    def whole(self) -> bool:
        self._thread.join(60)
        return self.lines[-1] == "data: [DONE]" and len(self.lines) == 63


def test_certificates_change_and_open_streams_end_whole(
    configured: Callable[..., Server], tmp_path: Path
) -> None:
    pair = server_pair(tmp_path)
    verify = trusting(tmp_path)
    text = f"server: {{tls: {{cert: {pair.cert}, key: {pair.key}}}}}{LATENCY}"
    with configured(text, tls=verify) as sim:

        def serials() -> set[str]:
            # A connection that is just being made to a worker that leaves may break.
            with suppress(OSError):
                return {seen(sim.port, verify) for _ in range(8)}
            return set()

        def now() -> str:
            return serial(Path(pair.cert).read_text())

        assert serials() == {now()}
        streams = [OpenStream(sim.url, verify) for _ in range(6)]
        server_pair(tmp_path)
        sim.process.send_signal(signal.SIGHUP)
        until(serials, lambda found: found == {now()})
        assert not any("[DONE]" in one.lines[-1] for one in streams), "streams were over before"
        before = now()
        good = Path(pair.key).read_bytes()
        Path(pair.key).write_text("half a")
        sim.process.send_signal(signal.SIGHUP)
        until(sim.output, lambda log: "server.tls.key: has no private key in PEM" in log)
        until(serials, bool)
        assert serials() == {before}
        Path(pair.key).write_bytes(good)
        assert all(one.whole() for one in streams)
        after = stats(sim, verify)
        assert {after["requests"][name] for name in ("aborted", "lost", "active")} == {0}
        server_pair(tmp_path)
        reloaded = httpx.post(f"{sim.url}/llmsim/reload", verify=verify, trust_env=False)
        assert reloaded.json()["reloaded"] is True
        before = now()
        until(serials, lambda found: found == {before})
        after = stats(sim, verify)
        # A worker that dies has the certificate of the others, though the file may not be of use.
        Path(pair.cert).write_text("half a")
        dead = pids(after)
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        until(lambda: pids(stats(sim, verify)) - dead, lambda new: len(new) == 2)
        assert serials() == {before}


def stats(sim: Server, verify: ssl.SSLContext) -> Any:
    """``/llmsim/stats``, or no workers while nobody answers."""
    try:
        return httpx.get(f"{sim.url}/llmsim/stats", verify=verify, trust_env=False).json()
    except httpx.TransportError:
        return {"workers": []}


def pids(found: Any) -> set[int]:
    return {one["pid"] for one in found["workers"]}


def test_a_self_signed_certificate(serve: Callable[..., Server]) -> None:
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with serve("--workers", "1", "--tls", "self-signed", "--latency", "fast", tls=anyone) as sim:
        (path,) = [line for line in sim.output().splitlines() if line.endswith("/ca.pem")]
        verify = ssl.create_default_context(cafile=path)
        for name in ("localhost", HOST):
            url = f"https://{name}:{sim.port}/health"
            assert httpx.get(url, verify=verify, trust_env=False).status_code == 200
    assert not Path(path).exists()


@pytest.mark.parametrize(("alpn", "kind"), [("h2", Http2Connection), ("http/1.1", Http1Connection)])
def test_the_proxys_client_speaks_what_is_agreed(
    alpn: str, kind: type, secure: Server, folder: Path
) -> None:
    """Twenty streams at once; over HTTP/2 they share a connection."""

    async def asked(client: ServiceClient, url: str) -> tuple[object, bytes]:
        body = chat(stream=True, max_tokens=20)
        headers = [("content-type", "application/json")]
        response = await client.send("POST", f"{url}{CHAT}", headers, body)
        pieces: list[bytes] = []

        def take(piece: bytes) -> bool:
            pieces.append(piece)
            return True

        await response.each(take)
        return response._connection, b"".join(pieces)

    async def scene() -> None:
        client = ServiceClient(20, trusting(folder, alpn=alpn))
        async with asyncio.timeout(60):
            found = await asyncio.gather(*(asked(client, secure.url) for _ in range(20)))
        connections = {connection for connection, _ in found}
        assert {type(connection) for connection in connections} == {kind}
        assert (len(connections) == 1) is (kind is Http2Connection)
        assert all(body.endswith(b"data: [DONE]\n\n") for _, body in found)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())
