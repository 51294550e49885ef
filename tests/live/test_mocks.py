"""Mocks and scripts over several workers: exact to the last request."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest
from openai import OpenAI

from tests.live.watch import stats
from tests.serving import Server

CLIENTS = 16
EACH = 25
TIMES = 100
TURNS = 300

CONFIG = f"""
latency: {{profile: instant}}
server: {{journal_mb: 1}}
mocks:
  - {{name: few, match: {{model: few}}, times: {TIMES}, response: mocked}}
  - {{name: slow, match: {{content_regex: '(a+)+$'}}, response: never}}
scripts:
  - name: all
    match: {{model: turns}}
    key: global
    on_exhausted: error
    turns: [{", ".join(f'"turn {place}"' for place in range(TURNS))}]
  - name: travel
    match: {{tools: [search, book]}}
    on_exhausted: error
    turns:
      - {{content: Let me look., tool_calls: [{{name: search, arguments: {{to: Rome}}}}]}}
      - {{error: {{kind: overloaded, retry_after_ms: 1}}}}
      - {{tool_calls: [{{name: book, arguments: {{flight: AZ1}}}}]}}
      - "Booked: {{{{ tool_result }}}}"
"""


def asked(connection: HTTPConnection, model: str, text: str = "x") -> tuple[int, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    head = {"content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), head)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def hammered(port: int, model: str, during: Callable[[], None] = lambda: None) -> Counter[str]:
    """What all clients together were told, and how many requests went unanswered. Each counts for
    itself: a Counter that several increment forgets some when its key is new."""
    every: list[Counter[str]] = []
    begun = threading.Barrier(CLIENTS + 1)

    def client() -> None:
        told: Counter[str] = Counter()
        every.append(told)
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        begun.wait()
        for _ in range(EACH):
            try:
                status, answer = asked(connection, model)
            except (OSError, HTTPException):
                connection.close()
                told["lost"] += 1
                continue
            told[answer["choices"][0]["message"]["content"] if status == 200 else "error"] += 1
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    begun.wait()
    during()
    for thread in threads:
        thread.join()
    return sum(every, Counter())


def used(port: int, section: str, name: str) -> dict[str, Any]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", "/llmsim/mocks")
        listed = json.loads(connection.getresponse().read())[section]
    found: dict[str, Any] = next(one for one in listed if one["name"] == name)
    return found


def killed_one(port: int) -> None:
    """Kill a worker; one that was killed before may still be listed."""
    for worker in stats(port)["workers"]:
        with suppress(ProcessLookupError):
            os.kill(worker["pid"], signal.SIGKILL)
            return
    raise AssertionError("no worker is alive")


@pytest.mark.parametrize("kill", [False, True])
def test_counts_are_exact_over_four_workers(configured: Callable[..., Server], kill: bool) -> None:
    with configured(CONFIG, "--workers", "4") as sim:

        def during() -> None:
            if kill:
                killed_one(sim.port)

        few = hammered(sim.port, "few", during)
        turns = hammered(sim.port, "turns", during)
        assert few.total() == turns.total() == CLIENTS * EACH
        # A worker that is killed takes with it what its clients were about to hear.
        assert TIMES - few["lost"] <= few["mocked"] <= TIMES
        said = {text: count for text, count in turns.items() if text.startswith("turn ")}
        assert set(said.values()) == {1}
        assert TURNS - turns["lost"] <= len(said) <= TURNS
        assert bool(few["lost"] + turns["lost"]) <= kill
        mock, script = used(sim.port, "mocks", "few"), used(sim.port, "scripts", "all")
        assert (mock["hits"], mock["left"]) == (TIMES, 0)
        assert CLIENTS * EACH - turns["lost"] <= script["hits"] <= CLIENTS * EACH


def test_a_loop_of_calls_is_driven_to_its_end(configured: Callable[..., Server]) -> None:
    tools: Any = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
        for name in ("search", "book")
    ]
    with configured(CONFIG) as sim, OpenAI(base_url=f"{sim.url}/v1", api_key="k") as client:
        messages: list[Any] = [{"role": "user", "content": "Rome, please."}]
        called = []
        for _ in range(5):
            answer = client.chat.completions.create(model="m", messages=messages, tools=tools)
            message = answer.choices[0].message
            messages.append(message)
            if not message.tool_calls:
                break
            for call in message.tool_calls:
                assert call.type == "function"
                called.append((call.function.name, json.loads(call.function.arguments)))
                done = {"role": "tool", "tool_call_id": call.id, "content": f"{len(called)} done"}
                messages.append(done)
        assert called == [("search", {"to": "Rome"}), ("book", {"flight": "AZ1"})]
        assert messages[1].content == "Let me look."
        assert messages[-1].content == "Booked: 2 done"


def test_an_expression_that_is_slow_elsewhere_holds_nobody_up(
    configured: Callable[..., Server],
) -> None:
    with configured(CONFIG, "--workers", "1") as sim:
        connection = HTTPConnection("127.0.0.1", sim.port, timeout=5)
        for _ in range(3):
            status, answer = asked(connection, "m", "a" * 50_000 + "!")
            assert status == 200
            assert answer["choices"][0]["message"]["content"] != "never"
        connection.close()
