"""Scopes of one server with two workers: nothing of one is seen in another."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from websockets.sync.client import connect

import llmsim

CONFIG = {
    "latency": {"profile": "instant"},
    "response": {"generator": "fixed:base"},
    "server": {"warm": ["gpt-4o"]},
    "scopes": {"max": 60},
}


@pytest.fixture(scope="module")
def server() -> Iterator[llmsim.Server]:
    with llmsim.Server(CONFIG, workers=2) as running:
        yield running


@pytest.fixture
def scope(server: llmsim.Server, request: pytest.FixtureRequest) -> llmsim.Addresses:
    return server.scope(request.node.name.partition("[")[0][:60])


def ask(base: str, content: str = "Hi", **headers: str) -> Any:
    """The text of the answer, or the status of an error."""
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]})
    sent = Request(f"{base}/chat/completions", body.encode(), headers)
    sent.add_header("content-type", "application/json")
    try:
        with urlopen(sent, timeout=30) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]
    except HTTPError as error:
        return error.code


def many(ask: Callable[[], Any], times: int) -> list[Any]:
    """On connections of their own, so that both workers get some."""
    with ThreadPoolExecutor(8) as pool:
        return [one.result() for one in [pool.submit(ask) for _ in range(times)]]


def test_a_mock_is_of_its_scope(server: llmsim.Server, scope: llmsim.Addresses) -> None:
    scope.client().add_mock({"name": "m", "response": {"content": "mine"}})
    assert many(lambda: ask(scope.openai_url), 16) == ["mine"] * 16
    assert ask(server.openai_url) == "base"
    assert ask(server.scope("other").openai_url) == "base"
    assert scope.client().mocks()[0]["hits"] == 16
    assert server.client().mocks() == []


def test_the_header_counts_more_than_the_path(
    server: llmsim.Server, scope: llmsim.Addresses
) -> None:
    scope.client().add_mock({"response": {"content": "mine"}})
    name = scope.scope_name or ""
    assert ask(server.openai_url, **{"x-llmsim-scope": name}) == "mine"
    assert ask(scope.openai_url, **{"x-llmsim-scope": "other"}) == "base"
    assert ask(server.openai_url, **{"x-llmsim-scope": "no name"}) == 400


def test_counts_are_exact_over_workers(server: llmsim.Server, scope: llmsim.Addresses) -> None:
    rule = {"status": 503, "first": 7}
    server.client().patch({"errors": {"rules": [rule]}})
    try:
        assert many(lambda: ask(scope.openai_url), 20).count(503) == 7
        assert many(lambda: ask(server.openai_url), 20).count(503) == 7
        scope.client().reset()
        assert many(lambda: ask(scope.openai_url), 20).count(503) == 7
        assert many(lambda: ask(server.openai_url), 20).count(503) == 0
    finally:
        server.client().replace("errors", None)


def test_a_limit_is_of_its_scope(server: llmsim.Server, scope: llmsim.Addresses) -> None:
    scope.client().replace("rate_limits", [{"requests_per_minute": 3}])
    assert sorted(many(lambda: ask(scope.openai_url), 8), key=str) == [429] * 5 + ["base"] * 3
    assert ask(server.openai_url) == "base"
    assert [one["limit"] for one in scope.client().limits()] == [3]
    assert server.client().limits() == []


@pytest.mark.parametrize(
    ("part", "answers", "journal", "stats"),
    [
        ("journal", [429, 429], 2, 2),
        ("stats", [429, 429], 6, 2),
        ("limits", ["base", "base"], 6, 6),
        ("mocks", [429, 429], 6, 6),
        ("counters", [429, 429], 6, 6),  # limits are looked at first
        ("limits,mocks", ["mine", "base"], 6, 6),
        ("counters,limits", [503, "mine"], 6, 6),
        ("counters,limits,mocks,stats,journal", [503, "mine"], 2, 2),
    ],
)
def test_parts_of_a_scope_are_reset(
    server: llmsim.Server,
    scope: llmsim.Addresses,
    part: str,
    answers: list[Any],
    journal: int,
    stats: int,
) -> None:
    client = scope.client()
    client.forget()
    client.add_mock({"response": {"content": "mine"}, "times": 1})
    client.replace("rate_limits", [{"requests_per_minute": 2}])
    client.patch({"errors": {"rules": [{"status": 503, "first": 1}]}})
    assert [ask(scope.openai_url) for _ in range(4)] == [503, "mine", 429, 429]
    client.reset(*part.split(","))
    assert [ask(scope.openai_url) for _ in range(2)] == answers
    assert len(client.requests()) == journal
    assert client.stats()["requests"] == stats


def test_the_journal_knows_scopes(server: llmsim.Server, scope: llmsim.Addresses) -> None:
    many(lambda: ask(scope.openai_url, "in it"), 6)
    ask(server.openai_url, "outside")
    texts = [one.text for one in scope.client().requests()]
    assert texts == ["in it"] * 6
    last = scope.client().requests(limit=1)[0]
    assert last.scope == scope.scope_name
    assert last.path == "/v1/chat/completions"
    assert last.headers["x-llmsim-scope"] == scope.scope_name
    every = server.client()
    assert len(every.requests(scope=scope.scope_name or "")) == 6
    assert every.requests()[-1].scope is None
    with pytest.raises(llmsim.ControlError):
        server.scope("other").client().request(last.id)
    stats = scope.client().stats()
    assert (stats["requests"], stats["by_status"]) == (6, {"200": 6})
    scope.client().clear_requests()
    assert scope.client().requests() == []
    assert len(every.requests(contains="in it")) == 6


def test_a_body_that_cannot_be_read_is_in_its_scope(scope: llmsim.Addresses) -> None:
    sent = Request(f"{scope.openai_url}/chat/completions", b"{")
    with pytest.raises(HTTPError):
        urlopen(sent, timeout=30)
    assert [one.status for one in scope.client().requests()] == [400]


def test_a_scope_is_forgotten_as_a_whole(scope: llmsim.Addresses) -> None:
    client = scope.client()
    client.forget()
    client.add_mock({"response": {"content": "mine"}, "times": 1})
    ask(scope.openai_url)
    client.forget()
    assert ask(scope.openai_url) == "base"
    assert [one.mock for one in client.requests()] == [None]


def test_changes_of_the_server_reach_scopes(server: llmsim.Server, scope: llmsim.Addresses) -> None:
    scope.client().replace("seed", 5)
    server.client().replace("response", {"generator": "fixed:changed"})
    try:
        assert many(lambda: ask(scope.openai_url), 8) == ["changed"] * 8
        assert scope.client().section("seed") == 5
        assert server.client().section("seed") is None
    finally:
        server.client().replace("response", CONFIG["response"])


def test_other_paths_and_pages_are_in_scopes_too(scope: llmsim.Addresses) -> None:
    with urlopen(f"{scope.openai_url}/models", timeout=30) as answer:
        assert json.load(answer)["object"] == "list"
    with urlopen(f"{scope.url}/llmsim/requests", timeout=30) as answer:
        assert json.load(answer)["requests"] == []


def test_a_websocket_is_in_the_scope_of_its_path(scope: llmsim.Addresses) -> None:
    scope.client().add_mock({"response": {"content": "mine"}})
    url = f"{scope.openai_url}/responses".replace("http", "ws", 1)
    said = ""
    with connect(url) as socket:
        socket.send(json.dumps({"type": "response.create", "model": "gpt-4o", "input": "Hi"}))
        while "response.completed" not in said:
            said = str(socket.recv(timeout=30))
    assert "mine" in said
    assert [one.mock for one in scope.client().requests()] == ["mocks[0]"]


def test_what_is_the_whole_servers_is_not_of_a_scope(scope: llmsim.Addresses) -> None:
    with pytest.raises(llmsim.ControlError, match=r"concurrency: .*whole server"):
        scope.client().patch({"concurrency": {"max_concurrency": 2}})


def test_the_scope_that_was_not_used_for_longest_is_forgotten(server: llmsim.Server) -> None:
    for number in range(70):
        server.scope(f"many-{number}").client().replace("seed", number)
    names = server.client().scopes()
    assert len(names) == 60
    assert "many-0" not in names
    assert "many-69" in names


def test_an_api_key_names_a_scope_where_that_is_on() -> None:
    with llmsim.Server({**CONFIG, "scopes": {"by_key": True}}) as server:
        server.scope("team-a").client().add_mock({"response": {"content": "mine"}})
        assert ask(server.openai_url, authorization="Bearer team-a") == "mine"
        assert ask(server.openai_url, authorization="Bearer team-b") == "base"
        both = {"authorization": "Bearer team-a", "x-llmsim-scope": "other"}
        assert ask(server.openai_url, **both) == "base"
        assert ask(server.openai_url) == "base"


def test_without_headers_there_are_no_scopes() -> None:
    with llmsim.Server({**CONFIG, "control": {"headers": False}}) as server:
        assert ask(server.scope("a").openai_url) == 404
        assert ask(server.openai_url, **{"x-llmsim-scope": "no name"}) == "base"
