"""What was recorded through the proxy, replayed by two workers."""

import importlib
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from click.testing import CliRunner
from google import genai
from google.genai import types

from llmsim.cli import main
from llmsim.recordings import folder
from llmsim.recordings.recording import Recording
from tests.live.test_record import proxied
from tests.serving import Server

Serve = Callable[..., Server]
SAID = [{"role": "user", "content": "Hello"}]


def asked(port: int, one: Recording) -> tuple[int, bytes, list[float]]:
    """A recorded request, asked again: status, body, and when each part of it came."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    begun = time.monotonic()
    headers = {name: value for name, value in one.request.headers if name != "host"}
    path = one.request.path + ("?" + one.request.query if one.request.query else "")
    connection.request("POST", path, one.request.body.content, headers)
    response = connection.getresponse()
    parts, times = [], []
    while part := response.read1():
        parts.append(part)
        times.append(time.monotonic() - begun)
    connection.close()
    return response.status, b"".join(parts), times


def listening(answers: list[list[bytes]]) -> Any:
    """A client for SDKs that keeps the bytes of every answer."""
    # The SDKs take only clients of the version of httpx that they are made with.
    http = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.split(".")[0])

    class Kept(http.SyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any) -> None:
            self.stream = stream
            self.parts: list[bytes] = []
            answers.append(self.parts)

        def __iter__(self) -> Iterator[bytes]:
            for part in self.stream:
                self.parts.append(part)
                yield part

        def close(self) -> None:
            self.stream.close()

    class Listening(http.HTTPTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            response = super().handle_request(request)
            response.stream = Kept(response.stream)
            return response

    return http.Client(transport=Listening(), timeout=20)


def ask_all(url: str) -> list[bytes]:
    """Every SDK in every dialect, plain and streamed, one of them in vain: all bytes they got."""
    answers: list[list[bytes]] = []
    chat: Any = openai.OpenAI(
        base_url=url + "/v1", api_key="k", max_retries=0, http_client=listening(answers)
    )
    chat.chat.completions.create(model="gpt-4o", messages=SAID)
    for _ in range(2):
        list(chat.chat.completions.create(model="gpt-4o", messages=SAID, stream=True))
    chat.chat.completions.create(model="gpt-4o", messages=SAID, n=2)
    chat.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once")
    list(chat.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once", stream=True))
    chat.responses.create(model="gpt-4o", input="Hello")
    list(chat.responses.create(model="gpt-5", input="Hello", stream=True))
    chat.embeddings.create(model="text-embedding-3-small", input="Hello")
    claude: Any = anthropic.Anthropic(base_url=url, api_key="k", http_client=listening(answers))
    claude.messages.create(model="claude-x", max_tokens=50, messages=SAID)
    with claude.messages.stream(model="claude-x", max_tokens=50, messages=SAID) as stream:
        stream.get_final_message()
    options = types.HttpOptions(base_url=url, httpx_client=listening(answers))
    gemini: Any = genai.Client(api_key="k", http_options=options).models
    gemini.generate_content(model="gemini-2.5-flash", contents="Hello")
    list(gemini.generate_content_stream(model="gemini-2.5-flash", contents="Hello"))
    with pytest.raises(openai.BadRequestError):
        chat.chat.completions.create(model="gpt-4o", messages=[])
    return [b"".join(parts) for parts in answers]


@pytest.fixture(scope="module")
def heard() -> list[bytes]:
    """What the SDKs got when it was recorded."""
    return []


@pytest.fixture(scope="module")
def recorded(serve: Serve, tmp_path_factory: pytest.TempPathFactory, heard: list[bytes]) -> Path:
    """Answers of three providers, and one of a failure."""
    out = tmp_path_factory.mktemp("recorded") / "out"
    with serve("--workers", "1", "--latency", "fast") as sim:
        names = ("openai", "anthropic", "gemini")
        flags = [flag for name in names for flag in ("--upstream", f"{name}={sim.url}")]
        with proxied(out, *flags, "--anonymise", "credentials") as proxy:
            heard += ask_all(proxy.url)
            proxy.recordings(len(heard))
    return out


def test_every_sdk_gets_the_bytes_that_it_got(
    serve: Serve, recorded: Path, heard: list[bytes]
) -> None:
    flags = ("--replay", str(recorded), "--ids", "keep", "--on-miss", "fail", "--speed", "10")
    with serve("--workers", "2", *flags) as sim:
        # All but the last, which llmsim itself refuses.
        assert ask_all(sim.url)[:-1] == heard[:-1]


def test_bytes_and_times_are_as_recorded(serve: Serve, recorded: Path) -> None:
    found = list(folder.recordings(recorded))
    flags = ("--replay", str(recorded), "--ids", "keep", "--on-miss", "fail")
    with serve("--workers", "2", *flags) as sim:
        for one in found[:-1]:
            status, content, times = asked(sim.port, one)
            assert (status, content) == (one.response.status, one.response.content)
            assert times[-1] == pytest.approx(one.response.ended, abs=0.25)
        # What llmsim itself refuses it refuses before it looks for a recording.
        assert asked(sim.port, found[-1])[0] == 400
        # After the last answer comes the last again.
        assert asked(sim.port, found[1])[1] == found[2].response.content
        miss = httpx.post(
            f"{sim.url}/v1/chat/completions",
            json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hallo"}]},
            timeout=20,
        )
        assert miss.status_code == 404
        assert "recorded 'Hello', asked 'Hallo'" in miss.json()["error"]["message"]


def test_sdks_get_the_recorded_answers_with_ids_of_their_own(serve: Serve, recorded: Path) -> None:
    plain = next(folder.recordings(recorded))
    flags = ("--replay", str(recorded), "--speed", "4")
    with serve("--workers", "2", *flags) as sim:
        chat: Any = openai.OpenAI(base_url=sim.url + "/v1", api_key="other")
        answers = [chat.chat.completions.create(model="gpt-4o", messages=SAID) for _ in range(3)]
        assert {
            one.choices[0].message.content.encode() in plain.response.content for one in answers
        }
        assert len({one.id for one in answers} | {plain.correlation["answer"]}) == 4
        raw = chat.chat.completions.with_raw_response.create(model="gpt-4o", messages=SAID)
        assert raw.headers["x-llmsim-recording"] == plain.id
        other = chat.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Not recorded."}]
        )
        assert "x-llmsim-recording" not in other.headers
        stats = httpx.get(f"{sim.url}/llmsim/stats", timeout=20).json()
        assert stats["tokens"]["completion"] > 0


def test_a_server_answers_in_the_shape_that_drift_knows(recorded: Path) -> None:
    """What is recorded of llmsim is what it answers without a server, headers included."""
    result = CliRunner().invoke(main, ["drift", str(recorded)])
    assert result.exit_code == 0, result.output
    assert result.output.count(": no drift") >= 9


def test_a_folder_that_is_not_there_is_one_line(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="no such file or folder") as error:
        serve("--replay", "none")
    assert "Traceback" not in str(error.value).partition("exit code")[2]
