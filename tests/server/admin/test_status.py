"""Health, statistics and limits, as clients read them."""

import os
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from llmsim import __version__
from llmsim.config import Config, Server
from llmsim.server.admin.status import probes, routes
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
