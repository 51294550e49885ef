"""Windows: what was counted while they were open, side by side."""

import asyncio
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Server
from llmsim.core.errors import FailureKind
from llmsim.server.admin.windows import MOST, Windows, routes
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.sqlite import Store, new_store

CHAT = "/v1/chat/completions"


@pytest.fixture
def shared() -> SharedState:
    return SharedState(new_segment(Config(Server(workers=1, journal_mb=1))))


@pytest.fixture
def windows(shared: SharedState) -> Iterator[Windows]:
    with new_store() as path:
        store = Store(path)
        yield Windows(shared, store)
        store.close()


@pytest.fixture
def client(windows: Windows) -> Iterator[TestClient]:
    router = Router()
    router.cold += routes(windows)
    with TestClient(build(router)) as made:
        yield made


def count(shared: SharedState, ms: float, status: int = 200, model: str = "m") -> None:
    counters = shared.counters
    counters.started()
    counters.timed(counters.series(CHAT, model, False), ms / 1e3, ms / 1e3)
    if status >= 400:
        counters.failed(FailureKind.RATE_LIMIT, True)
    row = counters.row(CHAT, model, status)
    counters.finished(row, 0, (3, 10, 0, 0), False, status >= 400)


def opened(client: TestClient, name: str) -> None:
    assert client.post("/llmsim/windows", json={"name": name}).json() == {"opened": name}


def test_each_window_has_what_was_counted_while_it_was_open(
    client: TestClient, shared: SharedState
) -> None:
    count(shared, 1000)
    opened(client, "before")
    for _ in range(3):
        count(shared, 10)
    assert client.post("/llmsim/windows/before/close").json() == {"closed": "before"}
    opened(client, "after")
    count(shared, 20, model="other")
    count(shared, 20, status=429)
    document = client.get("/llmsim/windows").json()
    before, after = document["windows"]
    assert (before["name"], after["name"], after["closed"]) == ("before", "after", None)
    assert before["closed"] >= before["opened"]
    assert before["figures"]["requests"]["finished"] == 3
    assert before["figures"]["latency_ms"]["p99"] == pytest.approx(10, rel=0.06)
    assert before["figures"]["errors"] == {"total": 0, "share": 0.0, "by_kind": {}}
    assert after["figures"]["statuses"] == {"200": 1, "429": 1}
    assert after["figures"]["models"] == {"other": 1, "m": 1}
    assert after["figures"]["errors"]["by_kind"] == {"rate_limit": {"real": 0, "injected": 1}}
    assert after["figures"]["queue_ms"]["p50"] is None
    rows = document["compared"]
    assert rows["requests.finished"] == {"before": 3, "after": 2}
    assert rows["tokens.completion"] == {"before": 30, "after": 20}
    assert rows["statuses.429"] == {"before": None, "after": 1}


def test_a_window_that_is_opened_again_begins_again(
    client: TestClient, shared: SharedState, windows: Windows
) -> None:
    opened(client, "a")
    count(shared, 10)
    opened(client, "a")
    count(shared, 10)
    (one,) = client.get("/llmsim/windows").json()["windows"]
    assert one["figures"]["requests"]["finished"] == 1
    asyncio.run(windows.begin_again())
    (one,) = client.get("/llmsim/windows").json()["windows"]
    assert one["figures"]["requests"]["finished"] == 0
    assert client.delete("/llmsim/windows/a").json() == {"deleted": "a"}
    assert client.get("/llmsim/windows").json() == {"windows": [], "compared": {}}


def test_there_are_not_more_than_so_many(client: TestClient) -> None:
    for number in range(MOST):
        opened(client, f"w{number}")
    response = client.post("/llmsim/windows", json={"name": "one-more"})
    assert response.status_code == 400
    assert f"{MOST} windows" in response.json()["error"]["message"]
    opened(client, "w0")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"nmae": "a"}', b'{"name": 1}', b'{"name": "a b"}'])
def test_what_is_no_name_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post("/llmsim/windows", content=body).status_code == 400


def test_a_window_that_is_not_open_cannot_be_closed(client: TestClient) -> None:
    opened(client, "a")
    client.post("/llmsim/windows/a/close")
    for name in ("a", "b"):
        assert client.post(f"/llmsim/windows/{name}/close").status_code == 404
    assert client.delete("/llmsim/windows/b").status_code == 404
