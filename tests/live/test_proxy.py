"""A server that passes requests on to services, beside its own answers."""

import asyncio
import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
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

from llmsim.proxy.live import ENDS
from llmsim.recordings import folder
from llmsim.recordings.recording import Recording, ResponseEnd, Transport
from tests.live.test_record import (
    ENDLESS,
    FRAMES,
    HEAD,
    Service,
    breaking,
    chunk,
    elsewhere,
    silent,
    streaming,
)
from tests.live.watch import until
from tests.serving import Server

Serve = Callable[..., Server]
KEY = "sk-proj-t8Qm3nXw0LrZk5VbYd2J"
SAID = [{"role": "user", "content": "Hello"}]
NAMES = ("openai", "anthropic", "gemini")


def configured(
    path: Path, service: str, text: str = "", names: tuple[str, ...] = NAMES, timeout: int = 60_000
) -> str:
    """The path of a configuration that passes everything on to a service, and records it."""
    upstreams = ", ".join(f'{name}: "{service}"' for name in names)
    path.write_text(
        f"proxy: {{upstreams: {{{upstreams}}}, allow: [127.0.0.1], timeout_ms: {timeout}}}\n"
        f"record: {{path: {path.parent / 'recordings'}}}\n"
        f"server: {{workers: 1, max_unsent_bytes: 8000000}}\non_miss: proxy\n{text}\n"
    )
    return str(path)


class Front:
    """The server in front, and what it keeps."""

    def __init__(self, server: Server, kept: Path) -> None:
        self.url, self.kept = server.url, kept

    def stats(self) -> Any:
        return httpx.get(f"{self.url}/llmsim/stats", timeout=20).json()

    def recordings(self, count: int) -> list[Recording]:
        return until(lambda: list(folder.recordings(self.kept)), lambda found: len(found) >= count)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """In front of another llmsim."""
    path = tmp_path_factory.mktemp("front")
    text = """
mocks:
  - {name: mine, match: {content_contains: mocked}, response: Mocked.}
  - {name: then, match: {content_contains: again}, responses: [{error: 503}, {on_miss: proxy}]}
rate_limits: [{key: limited, requests_per_minute: 1}]
"""
    with Server(("--workers", "1", "--latency", "fast"), path / "service.log") as service:
        config = configured(path / "llmsim.yaml", service.url, text)
        with Server(("--config", config), path / "front.log") as server:
            yield Front(server, path / "recordings")


def completions(front: Front) -> Counter[str]:
    """Completion tokens by model."""
    models = front.stats()["models"]
    return Counter({name: one["completion"] for name, one in models.items()})


def test_every_sdk_gets_the_services_answers(front: Front) -> None:
    before, counted = len(list(folder.recordings(front.kept))), completions(front)
    chat: Any = openai.OpenAI(base_url=front.url + "/v1", api_key=KEY, max_retries=0)
    plain = chat.chat.completions.create(model="gpt-4o", messages=SAID)
    stream = chat.chat.completions.create(model="gpt-4o", messages=SAID, stream=True)
    text = "".join(one.choices[0].delta.content or "" for one in stream if one.choices)
    first = chat.responses.create(model="gpt-5", input="Hello")
    # What the response builds on only the service knows.
    second = chat.responses.create(model="gpt-5", input="And?", previous_response_id=first.id)
    claude: Any = anthropic.Anthropic(base_url=front.url, api_key=KEY)
    with claude.messages.stream(model="claude-opus-4-5", max_tokens=50, messages=SAID) as events:
        message = events.get_final_message()
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=front.url))
    pieces = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents="Hi"))
    assert text
    assert second.previous_response_id == first.id
    assert pieces
    found = front.recordings(before + 6)[before:]
    assert {one.response.end for one in found} == {ResponseEnd.WHOLE}
    assert [one.correlation.get("answer") for one in found[:1]] == [plain.id]
    assert message.id in {one.correlation.get("answer") for one in found}
    kept = "".join(file.read_bytes().decode() for file in front.kept.glob("*.jsonl"))
    assert KEY not in kept
    used = first.usage.output_tokens + second.usage.output_tokens
    said = plain.usage.completion_tokens + len(text.split())

    def counted_since() -> tuple[int, int]:
        after = completions(front)
        return after["gpt-5"] - counted["gpt-5"], after["gpt-4o"] - counted["gpt-4o"]

    # A client knows the end of a stream before that is counted whose service does not count.
    until(counted_since, lambda now: now[0] == used and now[1] == pytest.approx(said, rel=0.3))
    stats = front.stats()
    assert stats["recording"]["recordings"] >= 6
    assert stats["recording"]["problem"] is None
    metrics = httpx.get(f"{front.url}/metrics", timeout=20).text
    assert "llmsim_recording_stopped 0.0" in metrics


def ask(front: Front, content: str, **headers: str) -> httpx.Response:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]}
    url = f"{front.url}/v1/chat/completions"
    return httpx.post(url, json=body, headers=headers, timeout=20)


def test_mocks_limits_and_failures_are_this_servers(front: Front) -> None:
    passed = ask(front, "Hello")
    assert (passed.status_code, passed.headers["x-llmsim-upstream"]) == (200, "openai")
    mocked = ask(front, "mocked")
    assert mocked.json()["choices"][0]["message"]["content"] == "Mocked."
    assert "x-llmsim-upstream" not in mocked.headers
    assert [ask(front, "again").status_code for _ in range(2)] == [503, 200]
    assert ask(front, "Hello", **{"x-llmsim-error": "overloaded"}).status_code == 503
    limited = [ask(front, "Hello", authorization="Bearer limited") for _ in range(2)]
    assert [one.status_code for one in limited] == [200, 429]
    assert limited[0].headers["x-ratelimit-limit-requests"] == "1"


def test_two_servers_in_one_folder_and_one_is_killed(front: Front, tmp_path: Path) -> None:
    """What was complete is kept, and of a torn line all before it; the other server goes on."""
    kept, config = tmp_path / "recordings", configured(tmp_path / "llmsim.yaml", front.url)
    with Server(("--config", config), tmp_path / "lasting.log") as lasting:
        killed = Server(("--config", config), tmp_path / "killed.log")
        try:
            two = [Front(lasting, kept), Front(killed, kept)]
            for number in range(10):
                assert ask(two[number % 2], f"Number {number}").status_code == 200
            two[0].recordings(10)
            (worker,) = two[1].stats()["workers"]
            (file,) = [one for one in kept.glob("*.jsonl") if f"-{worker['pid']}." in one.name]
            os.kill(worker["pid"], signal.SIGKILL)
        finally:
            killed.process.kill()
            killed.process.wait()
        line = file.read_bytes().splitlines()[-1]
        with file.open("ab") as torn:  # as where it was killed while it wrote
            torn.write(line[: len(line) // 2])
        assert ask(two[0], "Number 10").status_code == 200
        assert len(two[0].recordings(11)) == 11
        flags = ("--workers", "1", "--replay", str(kept), "--on-miss", "fail")
        with Server(flags, tmp_path / "replay.log") as again:
            answers = [ask(Front(again, kept), f"Number {number}") for number in range(11)]
            assert [one.status_code for one in answers] == [200] * 11
            assert again.output().count(f"{file}:6: a torn last line: skipped") == 1


def talked(url: str, *messages: dict[str, Any]) -> list[list[bytes]]:
    """What is answered to each message of a WebSocket, up to its end."""
    socket = f"{url.replace('http', 'ws')}/v1/responses"
    headers = {"authorization": f"Bearer {KEY}"}
    with connect(socket, additional_headers=headers, compression=None) as connection:
        answers = []
        for message in messages:
            connection.send(json.dumps({"type": "response.create", "model": "gpt-4o"} | message))
            answers.append([connection.recv(timeout=20, decode=False)])
            while json.loads(answers[-1][-1])["type"] not in ENDS:
                answers[-1].append(connection.recv(timeout=20, decode=False))
        return answers


def test_a_websocket_is_passed_on_turn_by_turn(front: Front) -> None:
    before = len(list(folder.recordings(front.kept)))
    first, mocked, named = talked(
        front.url,
        {"input": "Hello"},
        {"input": "mocked"},
        {"input": "Hello", "stream_id": "a"},
    )
    assert json.loads(first[-1])["type"] == "response.completed"
    assert b"Mocked." in mocked[-1]
    assert {json.loads(one)["stream_id"] for one in named} == {"a"}
    kept = front.recordings(before + 2)[before:]
    assert [one.request.transport for one in kept] == [Transport.WEBSOCKET] * 2
    events = [frame.body.content for frame in kept[0].response.frames]
    assert [one.partition(b"data: ")[2][:-2] for one in events] == first
    assert kept[0].usage is not None
    assert kept[0].stream


def test_latency_overrides_and_faults_bend_what_the_service_says(front: Front) -> None:
    begun = time.monotonic()
    ask(front, "Hello", **{"x-llmsim-latency": "ttft_ms=600,itl_ms=0"})
    assert time.monotonic() - begun >= 0.6
    with pytest.raises(httpx.RemoteProtocolError):
        ask(front, "Hello", **{"x-llmsim-fault": "cut"})
    (entry,) = httpx.get(f"{front.url}/llmsim/requests?limit=1", timeout=20).json()["requests"]
    assert entry["model"] == "gpt-4o"


SENT = [0]
"""Bytes that the endless service has got rid of."""


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    SENT[0] = 0
    with suppress(OSError):  # the client has left, and so has the server
        while SENT[0] < ENDLESS:
            writer.write(chunk(bytes(65_536)))
            await writer.drain()
            SENT[0] += 65_536
    writer.close()


class Begun:
    """A request whose head was read, to be read again."""

    def __init__(self, reader: asyncio.StreamReader, head: bytes) -> None:
        self.reader, self.head = reader, head

    async def readuntil(self, separator: bytes) -> bytes:
        return self.head

    async def read(self) -> bytes:
        return await self.reader.read()


ANSWERS = {one.__name__: one for one in (streaming, breaking, silent, elsewhere, endless)}


async def as_asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers in the way that the request's header names."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"x-answer: (\w+)", head)
    assert found is not None
    await ANSWERS[found[1].decode()](Begun(reader, head), writer)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """In front of a service that does odd things when it is asked to."""
    path = tmp_path_factory.mktemp("odd")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    service = Service(as_asked)
    asyncio.run_coroutine_threadsafe(service.__aenter__(), loop).result(20)
    url = f"http://127.0.0.1:{service.port}"
    config = configured(path / "llmsim.yaml", url, "", ("openai",), 2000)
    with Server(("--config", config), path / "front.log") as server:
        yield Front(server, path / "recordings")
    loop.call_soon_threadsafe(loop.stop)


BODY: dict[str, Any] = {"model": "gpt-4o", "stream": True, "messages": SAID}


def asked_for(front: Front, answer: str) -> httpx.Response:
    url, headers = front.url + "/v1/chat/completions", {"x-answer": answer}
    return httpx.post(url, json=BODY, headers=headers, timeout=20)


def last_recorded(front: Front, end: ResponseEnd) -> Recording:
    """The latest recording, once it is one that ended so."""
    return until(
        lambda: list(folder.recordings(front.kept)),
        lambda found: bool(found) and found[-1].response.end is end,
    )[-1]


def test_bytes_and_borders_of_frames_stay(odd: Front) -> None:
    url, headers = odd.url + "/v1/chat/completions", {"x-answer": "streaming"}
    with httpx.stream("POST", url, json=BODY, headers=headers, timeout=20) as response:
        assert list(response.iter_raw()) == FRAMES
    kept = last_recorded(odd, ResponseEnd.WHOLE)
    assert [frame.body.content for frame in kept.response.frames] == FRAMES


@pytest.mark.parametrize(
    ("answer", "status", "message", "end"),
    [
        ("silent", 504, "did not answer in time", ResponseEnd.TIMEOUT),
        ("elsewhere", 502, "redirects elsewhere", ResponseEnd.WHOLE),
    ],
)
def test_a_service_that_fails_fails_in_the_providers_words(
    answer: str, status: int, message: str, end: ResponseEnd, odd: Front
) -> None:
    response = asked_for(odd, answer)
    assert response.status_code == status
    error = response.json()["error"]
    assert message in error["message"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert last_recorded(odd, end).response.status in (0, 302)


def test_what_breaks_off_breaks_off_for_the_client_and_counts(odd: Front) -> None:
    before = odd.stats()["errors"]["by_kind"].get("bad_gateway", {"real": 0})["real"]
    with pytest.raises(httpx.RemoteProtocolError):
        asked_for(odd, "breaking")
    assert last_recorded(odd, ResponseEnd.CUT).response.content == FRAMES[0]
    assert odd.stats()["errors"]["by_kind"]["bad_gateway"]["real"] == before + 1


def test_no_more_is_read_for_a_client_that_reads_nothing(odd: Front) -> None:
    with closing(HTTPConnection(odd.url.removeprefix("http://"), timeout=20)) as connection:
        headers = {"x-answer": "endless"}
        connection.request("POST", "/v1/chat/completions", json.dumps(BODY), headers)
        connection.getresponse()
        seen = -1
        while SENT[0] != seen:  # until it stands still
            seen = SENT[0]
            time.sleep(1)
    assert 0 < seen < ENDLESS / 4
    assert last_recorded(odd, ResponseEnd.LEFT).response.status == 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("proxy: {upstreams: {openai: 'http://169.254.169.254'}}", "which is private"),
        ("proxy: {upstreams: {acme: 'http://127.0.0.1'}}", "must be PROVIDER=URL"),
        (
            "proxy: {upstreams: {openai: 'http://127.0.0.1'}, allow: [127.0.0.1]}\n"
            "record: {path: /proc/none}",
            "record.path: /proc/none",
        ),
    ],
)
def test_what_cannot_be_is_one_line(text: str, message: str, serve: Serve, tmp_path: Path) -> None:
    config = tmp_path / "llmsim.yaml"
    config.write_text(f"{text}\non_miss: proxy\n")
    with pytest.raises(AssertionError, match=message) as error:
        serve("--config", str(config))
    assert "Traceback" not in str(error.value).partition("exit code")[2]
