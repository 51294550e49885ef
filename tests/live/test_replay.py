"""What was recorded through the proxy, replayed by two workers."""

import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest

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


@pytest.fixture
def recorded(serve: Serve, tmp_path: Path) -> Path:
    """Plain and streamed answers of three providers, and one of a failure."""
    out = tmp_path / "out"
    with serve("--workers", "1", "--latency", "fast") as sim:
        names = ("openai", "anthropic", "gemini")
        flags = [flag for name in names for flag in ("--upstream", f"{name}={sim.url}")]
        with proxied(out, *flags, "--anonymise", "credentials") as proxy:
            chat: Any = openai.OpenAI(base_url=proxy.url + "/v1", api_key="k", max_retries=0)
            chat.chat.completions.create(model="gpt-4o", messages=SAID)
            list(chat.chat.completions.create(model="gpt-4o", messages=SAID, stream=True))
            list(chat.chat.completions.create(model="gpt-4o", messages=SAID, stream=True))
            list(chat.responses.create(model="gpt-5", input="Hello", stream=True))
            claude: Any = anthropic.Anthropic(base_url=proxy.url, api_key="k")
            with claude.messages.stream(model="claude-x", max_tokens=50, messages=SAID) as stream:
                stream.get_final_message()
            body = {"contents": [{"parts": [{"text": "Hello"}]}]}
            path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
            httpx.post(proxy.url + path, json=body, timeout=20)
            with pytest.raises(openai.BadRequestError):
                chat.chat.completions.create(model="gpt-4o", messages=[])
            proxy.recordings(7)
    return out


def test_bytes_and_times_are_as_recorded(serve: Serve, tmp_path: Path, recorded: Path) -> None:
    config = tmp_path / "replay.yaml"
    config.write_text(f"replay: {{path: {recorded}, ids: keep}}\non_miss: fail")
    found = list(folder.recordings(recorded))
    with serve("--workers", "2", "--config", str(config)) as sim:
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


def test_a_folder_that_is_not_there_is_one_line(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="no such file or folder") as error:
        serve("--replay", "none")
    assert "Traceback" not in str(error.value).partition("exit code")[2]
