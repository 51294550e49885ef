"""Health, statistics, limits and the latest requests, as clients read them."""

import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from llmsim import __version__
from llmsim.config import Config, Server
from llmsim.server.admin.status import MAX_LIMIT, probes, routes
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.layout import WARM


@pytest.fixture(scope="module")
def shared() -> SharedState:
    return SharedState(new_segment(Config(Server(workers=1, journal_mb=1))))


@pytest.fixture(scope="module")
def client(shared: SharedState) -> Iterator[TestClient]:
    router = Router()
    router.cold += [*probes(shared, 1), *routes(shared)]
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


def test_health(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": __version__}


@pytest.mark.parametrize(
    ("expected", "warm", "ready"),
    [
        (1, (0,), False),
        (1, (1,), True),
        (2, (1,), False),  # the other has not started yet
        (2, (1, 0), False),
        (2, (1, 1), True),
        (1, (1, 0), False),  # one that takes a dead one's place
    ],
)
def test_ready_is_when_all_workers_are_warm(
    expected: int, warm: tuple[int, ...], ready: bool
) -> None:
    made = SharedState(new_segment(Config(Server(workers=2, journal_mb=1))))
    router = Router()
    router.cold += probes(made, expected)
    for counters, value in zip(made.all_counters, warm, strict=False):
        counters.take_over(os.getpid())
        counters.cells[WARM] = value
    with TestClient(build(router)) as client:
        assert client.get("/health").status_code == 200
        response = client.get("/ready")
    assert response.status_code == (200 if ready else 503)
    status = "ready" if ready else "warming up"
    assert response.json() == {"status": status, "workers": len(warm)}


def test_statistics_and_limits(client: TestClient, shared: SharedState) -> None:
    assert {"uptime_s", "requests"} <= client.get("/llmsim/stats").json().keys()
    shared.limits = lambda first, most: [{"limit": 3}] if not first else []
    assert client.get("/llmsim/limits").json() == {
        "limits": [{"limit": 3}],
        "accounts": 0,
        "next_offset": None,
    }


def test_limits_come_in_pages(client: TestClient, shared: SharedState) -> None:
    shared.limits = lambda first, most: [{"account": n} for n in range(first, first + most)]
    for number in range(250):
        one = shared.buckets.account(f"caller {number}", "rule", ("c", "*"), (), None)
        shared.buckets.take(one, (1, 1, 0, 0, 0))
    document = client.get("/llmsim/limits?offset=30&limit=210").json()
    assert [one["account"] for one in document["limits"]] == list(range(30, 240))
    assert (document["accounts"], document["next_offset"]) == (250, 240)
    assert client.get("/llmsim/limits?offset=240&limit=10").json()["next_offset"] is None


@pytest.mark.parametrize(
    ("query", "name"), [("limit=0", "limit"), ("limit=x", "limit"), ("offset=-1", "offset")]
)
def test_a_page_that_is_none_is_refused_by_name(client: TestClient, query: str, name: str) -> None:
    response = client.get(f"/llmsim/limits?{query}")
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith(f"{name}: must be a whole number from")


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
        "request": shown,
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
