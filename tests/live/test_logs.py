"""What a server of two workers writes: a line a request, under the id the client got."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.live.http1 import Answer, chat, in_turn, post, request
from tests.live.workers import by_both_workers
from tests.serving import Server

SECRET = "correct horse battery staple"


def asked(server: Server) -> list[Answer]:
    """Answers of both workers, of every provider, errors among them."""
    anthropic = {"model": "claude-haiku", "max_tokens": 5, "messages": []}
    gemini = "/v1beta/models/gemini-flash:generateContent"
    said = {"contents": [{"role": "user", "parts": [{"text": SECRET}]}]}
    return [
        *by_both_workers(server.port, chat(SECRET, max_tokens=5)),
        *in_turn(
            server.port,
            post(chat(SECRET, stream=True, max_tokens=5)),
            post(b"{"),
            request("POST", "/v1/messages", json.dumps(anthropic).encode()),
            request("POST", gemini, json.dumps(said).encode()),
            request("POST", gemini, b"{"),
        ),
    ]


def mark(answer: Answer) -> str:
    """What the ids of an answer have in common."""
    for name in ("x-request-id", "request-id", "x-llmsim-request-id"):
        if name in answer.headers:
            return answer.headers[name][-26:]
    raise AssertionError(f"no id in {answer.headers}")


def lines(server: Server) -> list[dict[str, Any]]:
    """All lines, each a JSON object."""
    return [json.loads(line) for line in server.output().splitlines()]


@pytest.mark.parametrize("prompts", [False, True])
def test_each_request_has_one_line(configured: Callable[..., Server], prompts: bool) -> None:
    switch = str(prompts).lower()
    config = (
        f"logging: {{format: json, access: all, prompts: {switch}}}\nlatency: {{profile: fast}}"
    )
    with configured(config) as server:
        answers = asked(server)
        server.stop()
        told = [line for line in lines(server) if line["event"] == "request"]
    ids = Counter(line["request_id"] for line in told)
    assert ids == Counter(mark(answer) for answer in answers)
    statuses = {line["request_id"]: line["status"] for line in told}
    assert statuses == {mark(answer): answer.status for answer in answers}
    assert {line["level"] for line in told} == {"info", "warning"}
    assert (SECRET in server.output()) == prompts


@pytest.mark.parametrize(
    ("access", "statuses"), [("off", set()), ("errors", {400}), ("sampled:0", {400})]
)
def test_only_so_many_have_a_line(
    configured: Callable[..., Server], access: str, statuses: set[int]
) -> None:
    config = f"logging: {{format: json, access: '{access}'}}\nlatency: {{profile: fast}}"
    with configured(config) as server:
        asked(server)
        server.stop()
        told = [line for line in lines(server) if line["event"] == "request"]
    assert {line["status"] for line in told} == statuses


def test_lines_for_people_are_no_json(configured: Callable[..., Server]) -> None:
    with configured("logging: {access: all}\nlatency: {profile: instant}") as server:
        (answer, *_) = asked(server)
        server.stop()
    (line,) = [line for line in server.output().splitlines() if mark(answer) in line]
    assert "[info] request" in line
    assert "status=200" in line
