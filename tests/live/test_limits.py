"""Limits under fire: what is admitted is what is allowed, to the last request."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

import anthropic
import openai
import orjson
import pytest

from tests.serving import Server

CLIENTS = 16
EACH = 30
ALLOWED = 150
PROMPT = "hi"


def ask(server: Server, key: str, model: str = "gpt-4o", **more: object) -> tuple[int, bytes]:
    """One chat completion: status and body; 0 if the connection broke."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    messages = [{"role": "user", "content": PROMPT}]
    body = orjson.dumps({"model": model, "messages": messages, **more})
    try:
        connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {key}"})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def hammer(server: Server, key: str, **more: object) -> Counter[int]:
    """Ask from many clients at once: the statuses."""

    def client(_: int) -> list[int]:
        return [ask(server, key, **more)[0] for _ in range(EACH)]

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(status for one in pool.map(client, range(CLIENTS)) for status in one)


def told(server: Server, path: str) -> dict[str, object]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path)
    value: dict[str, object] = orjson.loads(connection.getresponse().read())
    connection.close()
    return value


def workers(server: Server) -> list[int]:
    return [one["pid"] for one in told(server, "/llmsim/stats")["workers"]]  # type: ignore[index,attr-defined]


@pytest.fixture(scope="module")
def sim(configured: Callable[..., Server]) -> Iterator[Server]:
    text = f"""
latency: {{profile: instant}}
rate_limits:
  - {{key: "day*", requests_per_day: {ALLOWED}}}
  - {{key: "tokens*", tokens_per_minute: 1, tokens_burst: {ALLOWED * 18}}}
  - {{key: "few", requests_per_minute: 60, burst: 1}}
"""
    with configured(text, "--workers", "4") as server:
        yield server


def test_requests_are_exact(sim: Server) -> None:
    assert hammer(sim, "day") == {200: ALLOWED, 429: CLIENTS * EACH - ALLOWED}


def test_tokens_are_exact(sim: Server) -> None:
    """A request for ten tokens takes eighteen, estimated and settled alike."""
    statuses = hammer(sim, "tokens", max_tokens=10)
    assert statuses == {200: ALLOWED, 429: CLIENTS * EACH - ALLOWED}


def test_requests_are_exact_while_workers_are_killed(sim: Server) -> None:
    """A request whose worker died may have been counted, but was not answered."""
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.4):
            os.kill(workers(sim)[0], signal.SIGKILL)
            stop.wait(1.5)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        statuses = hammer(sim, "day killed")
    finally:
        stop.set()
        killer.join()
    assert statuses[200] <= ALLOWED <= statuses[200] + statuses[0]
    assert ask(sim, "day killed")[0] == 429


def test_limits_are_told(sim: Server) -> None:
    ask(sim, "day told")
    (one,) = [
        one
        for one in told(sim, "/llmsim/limits")["limits"]  # type: ignore[attr-defined]
        if one["key"] == "d…" and one["remaining"] == ALLOWED - 1
    ]
    assert (one["rule"], one["what"], one["limit"]) == ("day* *", "requests_per_day", ALLOWED)


def test_openai_honours_retry_after(sim: Server) -> None:
    client = openai.OpenAI(base_url=f"{sim.url}/v1", api_key="few", max_retries=2)
    messages = [{"role": "user", "content": PROMPT}]
    begun = time.monotonic()
    for _ in range(2):
        raw = client.chat.completions.with_raw_response.create(
            model="gpt-4o",
            messages=messages,  # type: ignore[arg-type]
        )
        assert raw.headers["x-ratelimit-limit-requests"] == "60"
        assert raw.headers["x-ratelimit-remaining-requests"] == "0"
    assert 0.9 < time.monotonic() - begun < 10
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=0).chat.completions.create(
            model="gpt-4o",
            messages=messages,  # type: ignore[arg-type]
        )
    assert 0 < int(caught.value.response.headers["retry-after-ms"]) <= 1000
    assert "requests per min (RPM): Limit 1, Used 1, Requested 1" in caught.value.message


def test_anthropic_honours_retry_after(sim: Server) -> None:
    client = anthropic.Anthropic(base_url=sim.url, api_key="few", max_retries=3)
    for _ in range(2):
        raw = client.messages.with_raw_response.create(
            model="claude-haiku-4-5",
            max_tokens=5,
            messages=[{"role": "user", "content": PROMPT}],
        )
        assert raw.headers["anthropic-ratelimit-requests-remaining"] == "0"
        assert raw.headers["anthropic-ratelimit-requests-reset"].endswith("Z")
    with pytest.raises(anthropic.RateLimitError):
        client.with_options(max_retries=0).messages.create(
            model="claude-haiku-4-5",
            max_tokens=5,
            messages=[{"role": "user", "content": PROMPT}],
        )


QUEUED = """
latency: {ttft_mean_ms: 1500, tbt_mean_ms: 1}
concurrency: {max_concurrency: 4, queue_limit: 8, queue_timeout_ms: 20000}
keys: [good, {key: also-good, name: ci}]
"""


def test_a_queue_serves_as_many_as_fit_and_refuses_the_rest(
    configured: Callable[..., Server],
) -> None:
    with configured(QUEUED, "--workers", "4") as server:

        def client(_: int) -> int:
            return ask(server, "good", max_tokens=5)[0]

        with ThreadPoolExecutor(20) as pool:
            statuses = Counter(pool.map(client, range(20)))
        assert statuses[200] + statuses[503] == 20
        assert statuses[200] >= 12
        assert statuses[503] >= 1
        (one,) = told(server, "/llmsim/limits")["limits"]  # type: ignore[misc]
        assert (one["open"], one["waiting"]) == (0, 0)  # type: ignore[index]
        assert told(server, "/llmsim/stats")["queue_ms"]["p95"] > 100  # type: ignore[index,operator]


def test_places_of_a_killed_worker_are_free_again(configured: Callable[..., Server]) -> None:
    slow = QUEUED.replace("ttft_mean_ms: 1500", "ttft_mean_ms: 4000")
    with configured(slow, "--workers", "4") as server:
        with ThreadPoolExecutor(4) as pool:
            held = [pool.submit(ask, server, "good") for _ in range(4)]
            deadline = time.monotonic() + 10
            while told(server, "/llmsim/limits")["limits"][0]["open"] < 4:  # type: ignore[index]
                assert time.monotonic() < deadline
            for pid in workers(server):
                os.kill(pid, signal.SIGKILL)
            assert {one.result()[0] for one in held} == {0}
        deadline = time.monotonic() + 15
        while (status := ask(server, "good", max_tokens=5)[0]) == 0:
            assert time.monotonic() < deadline
        assert status == 200


@pytest.mark.parametrize(("key", "status"), [("good", 200), ("also-good", 200), ("bad", 401)])
def test_only_known_keys_are_let_in(
    configured: Callable[..., Server], key: str, status: int
) -> None:
    with configured(QUEUED) as server:
        assert ask(server, key, max_tokens=5)[0] == status
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)
        if status == 401:
            with pytest.raises(openai.AuthenticationError):
                client.models.list()
        else:
            assert client.models.list().data
        assert told(server, "/health")["status"] == "ok"
