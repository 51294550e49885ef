"""The requests of the journal, as clients ask for them."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Server
from llmsim.core.errors import Failure, FailureKind
from llmsim.server.admin.requests import routes
from llmsim.server.application import build
from llmsim.server.journal.request_filter import MAX_LIMIT
from llmsim.server.router import Router
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.journal import code, tags
from llmsim.state.shm.request_details import RequestDetails, encoded


@pytest.fixture
def shared() -> SharedState:
    return SharedState(new_segment(Config(Server(workers=1, journal_mb=1))))


@pytest.fixture
def client(shared: SharedState) -> Iterator[TestClient]:
    router = Router()
    router.cold += routes(shared)
    with TestClient(build(router)) as made:
        yield made


def remember(shared: SharedState, body: bytes, ended: bool = True) -> str:
    """A request in the journal; gives its id."""
    journal = shared.journal
    number = journal.reserve()
    journal.begin(number, "/v1/x", "m", body, 100.0, (0.25, 0.5), 3, 7, b"", 0.25)
    if ended:
        journal.output(number, 0.125, 0.1265)
        journal.end(number, 200, 0.251, 0.502, 0.0015, 3, (8, 3, 2, 1))
    return journal.mark(number)


class Sender:
    """A client that sends these headers."""

    path = query = ""

    def __init__(self, **headers: str) -> None:
        self._headers = headers

    def header(self, name: str) -> str | None:
        return self._headers.get(name.replace("-", "_"))

    def names(self) -> list[str]:
        return list(self._headers)

    async def left(self) -> None:
        raise NotImplementedError


def details(key: str = "", answer: bytes = b"") -> bytes:
    return encoded(
        RequestDetails(
            *("/v1/x", [("a", "b")], key, [("c", "d")], answer, len(answer), "", "", "", ""),
            *([("requests_per_minute", 9, 5, 4)], b"", b"", ["stop"]),
        )
    )


@pytest.fixture
def asked(shared: SharedState) -> Callable[..., str]:
    """Puts a request into the journal, one second after the one before; gives its id."""
    seconds = count(1000)

    def ask(
        body: bytes = b"{}",
        endpoint: str = "openai_chat",
        model: str = "gpt-4o",
        status: int = 200,
        failure: Failure | None = None,
        mock: str = "",
        stream: bool = False,
        kept: bytes = b"",
        ended: bool = True,
        **headers: str,
    ) -> str:
        journal = shared.journal
        number = journal.reserve()
        marked = tags(Sender(**headers), mock)
        arrived = float(next(seconds))
        journal.begin(
            number, endpoint, model, body, arrived, (0.0, 0.0), 1, 7, b"", 0.0, stream, marked
        )
        if ended:
            journal.end(number, status, 0.0, 0.0, 0.0, 1, (1, 1, 0, 0), code(failure), kept)
        return journal.mark(number)

    return ask


def listed(client: TestClient, query: str = "") -> list[str]:
    response = client.get(f"/llmsim/requests?{query}")
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()["requests"]]


def test_requests_are_found_by_what_is_known_of_them(
    client: TestClient, asked: Callable[..., str]
) -> None:
    overloaded = Failure(FailureKind.OVERLOADED, "", injected=True)
    asked()
    wanted = asked(
        body=b'{"text": "caf\\u00e9 [[llmsim:id=run-7]]"}',
        endpoint="anthropic_messages",
        model="claude-opus-4",
        status=529,
        failure=overloaded,
        mock="hello",
        stream=True,
        kept=details("alice", b'data: {"text": "caf\xc3\xa9"}'),
        x_request_id="abc",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    asked(ended=False)
    for query in (
        *("endpoint=anthropic_messages", "endpoint=anthropic*", "model=claude-*", "mock=hello"),
        *("status=529", "status=5xx", "status=error", "status=404,529", "kind=overloaded"),
        *("stream=true", "key=alice", "key=ali*", "contains=caf%C3%A9", "contains=run-7"),
        *("id=abc", "id=run-7", "id=0af7651916cd43dd8448eb211c80319c", f"id={wanted}"),
        *(f"id=chatcmpl-{wanted}", "model=claude-*&status=529&contains=caf%C3%A9"),
    ):
        assert listed(client, query) == [wanted], query
    assert len(listed(client, "status=200")) == 1
    assert len(listed(client, "status=open")) == 1
    assert len(listed(client, "since=1001")) == 2
    assert listed(client, "since=1m") == []
    assert listed(client, "model=claude-*&status=200") == []


def test_an_entry_says_why(client: TestClient, asked: Callable[..., str]) -> None:
    failure = Failure(FailureKind.OVERLOADED, "", injected=True)
    name = asked(
        body=b"[[llmsim:id=x]]", failure=failure, kept=details("alice", b"hi"), x_request_id="abc"
    )
    found = client.get(f"/llmsim/requests/{name}").json()
    assert (found["error"], found["injected"]) == ("overloaded", True)
    assert (found["x_request_id"], found["marker"]) == ("abc", "x")
    assert found["details"] == {
        "url": "/v1/x",
        "headers": [["a", "b"]],
        "key": "alice",
        "message": None,
        "rule": None,
        "override": None,
        "recording": None,
        "limits": [{"limit": "requests_per_minute", "of": 9, "before": 5, "after": 4}],
        "response_headers": [["c", "d"]],
        "answer": "hi",
        "answer_bytes": 2,
        "finish_reasons": ["stop"],
        "frames": {"due_ms": [], "left_ms": []},
    }
    (whole,) = client.get("/llmsim/requests?contents=true").json()["requests"]
    assert whole == found


def test_pages_go_on_where_the_last_one_ended(
    client: TestClient, asked: Callable[..., str]
) -> None:
    names = [asked(model="a" if number % 3 else "b") for number in range(50)]
    found, cursor = [], ""
    for _page in range(9):
        document = client.get(f"/llmsim/requests?model=a&limit=10&cursor={cursor}").json()
        found += [one["id"] for one in document["requests"]]
        cursor = document["next_cursor"]
        if cursor is None:
            break
        asked(model="a")  # what comes meanwhile is on no later page
    assert _page == 3
    assert found == [name for number, name in reversed(list(enumerate(names))) if number % 3]


def test_what_was_deleted_is_not_shown(
    client: TestClient, shared: SharedState, asked: Callable[..., str]
) -> None:
    before = asked()
    assert client.delete("/llmsim/requests").json() == {"status": "cleared"}
    assert listed(client) == []
    assert client.get(f"/llmsim/requests/{before}").status_code == 404
    assert shared.entry(before) is not None, "what clients stored stays"
    after = asked()
    assert listed(client) == [after]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("modle=x", "modle: unknown parameter (did you mean model?); valid are endpoint,"),
        ("status=teapot", "status: must be a status"),
        ("kind=rate", "kind: must be one of"),
        ("stream=1", "stream: must be true or false"),
        ("since=yesterday", "since: must be a Unix time"),
        ("contents=x", "contents: must be true or false"),
        ("cursor=x", "cursor: must be a next_cursor"),
        ("model=a&model=b", "model: set twice"),
    ],
)
def test_a_query_that_is_none_is_refused_by_name(
    client: TestClient, query: str, message: str
) -> None:
    response = client.get(f"/llmsim/requests?{query}")
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(message)


@pytest.mark.parametrize(
    ("body", "shown"), [(b'{"a": 1}', {"a": 1}), (b"no json", "no json"), (b"\xff", "\ufffd")]
)
def test_a_request_with_its_body_and_times_in_milliseconds(
    client: TestClient, shared: SharedState, body: bytes, shown: Any
) -> None:
    name = remember(shared, body)
    assert client.get(f"/llmsim/requests/{name}").json() == {
        "id": name,
        "endpoint": "/v1/x",
        "model": "m",
        "status": 200,
        "seed": 7,
        "arrived": 100.0,
        "planned": {"ttft_ms": 250.0, "total_ms": 500.0},
        "actual": {"first_ms": 251.0, "total_ms": 502.0},
        "arrival_lag_ms": 250.0,
        "lateness_max_ms": 1.5,
        "output_lag_max_ms": 125.0,
        "delivery_lateness_max_ms": 126.5,
        "frames": {"planned": 3, "sent": 3},
        "stream": False,
        "tokens": {"prompt": 8, "completion": 3, "reasoning": 2, "cached": 1},
        "x_request_id": None,
        "traceparent": None,
        "error": None,
        "injected": False,
        "mock": None,
        "scope": None,
        "marker": None,
        "request": shown,
        "details": None,
    }


def test_what_is_not_known_yet_is_null(client: TestClient, shared: SharedState) -> None:
    made = client.get(f"/llmsim/requests/{remember(shared, b'{}', ended=False)}").json()
    assert (made["status"], made["actual"]) == (None, {"first_ms": None, "total_ms": None})


def test_the_latest_requests_without_their_bodies(client: TestClient, shared: SharedState) -> None:
    for _ in range(3):
        remember(shared, b"{}")
    (one, two) = client.get("/llmsim/requests?limit=2").json()["requests"]
    assert "request" not in one
    assert one["id"] != two["id"]


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "many", "", str(MAX_LIMIT + 1), "\u0663"])
def test_a_limit_that_is_none_is_refused_by_name(client: TestClient, limit: str) -> None:
    response = client.get("/llmsim/requests", params={"limit": limit})
    assert response.status_code == 400
    message = response.json()["error"]["message"]
    assert message == f"limit: must be a whole number from 1 to {MAX_LIMIT}, not {limit!r}"


def test_an_unknown_request(client: TestClient) -> None:
    response = client.get("/llmsim/requests/nobody")
    assert response.status_code == 404
    assert orjson.loads(response.content)["error"]["message"].startswith("id: no request")
