"""``server.compress``, against a real server."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.serving import Server

PATH = "/v1/chat/completions"
CODINGS = ["gzip", "deflate", "br", "zstd"]


def asked(**fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hi"}]
    return {"model": "gpt-4o", "seed": 1, "messages": messages, "max_tokens": 60, **fields}


@pytest.fixture(scope="module")
def small(configured: Callable[..., Server]) -> Iterator[Server]:
    text = "server: {compress: true}\nlatency: {ttft_mean_ms: 5, itl_mean_ms: 5}\n"
    with configured(text) as server:
        yield server


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("stream", [False, True])
def test_answers_are_compressed(small: Server, name: str, stream: bool) -> None:
    url, body = f"{small.url}{PATH}", asked(stream=stream)
    coded = httpx.post(url, json=body, headers={"accept-encoding": name})
    plain = httpx.post(url, json=body, headers={"accept-encoding": "identity"})
    assert coded.headers["content-encoding"] == name
    assert "content-encoding" not in plain.headers
    assert coded.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert len(coded.content) == len(plain.content)
    if stream:
        assert coded.text.endswith("data: [DONE]\n\n")
    else:
        assert coded.json()["choices"] == plain.json()["choices"]


def test_a_stream_comes_as_it_is_sent(small: Server) -> None:
    with httpx.stream("POST", small.url + PATH, json=asked(stream=True)) as answer:
        assert answer.headers["content-encoding"]
        assert len(list(answer.iter_bytes())) > 5


def test_listings_and_failures_are_too(small: Server) -> None:
    listing = httpx.get(f"{small.url}/v1/models", headers={"accept-encoding": "gzip"})
    assert listing.headers["content-encoding"] == "gzip"
    assert listing.json()["data"]
    short = httpx.post(small.url + PATH, content=b"{", headers={"accept-encoding": "gzip"})
    assert short.status_code == 400
    assert short.json()["error"]


def test_nothing_is_unless_asked_for(sim: Server) -> None:
    answer = httpx.post(sim.url + PATH, json=asked(), headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers
