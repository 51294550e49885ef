"""``/llmsim/stats/history``: what it can be asked for, and what it answers."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from llmsim.config import Config, Server
from llmsim.server.admin.history import HistorySpan, parse, route
from llmsim.server.application import build
from llmsim.server.router import Router
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.state.shm.history_ring import HistoryRing
from llmsim.telemetry.history import SERIES

NOW = 1_800_000_000.0


@pytest.fixture
def shared() -> SharedState:
    return SharedState(new_segment(Config(Server(workers=1, journal_mb=1))))


@pytest.fixture
def client(shared: SharedState) -> Iterator[TestClient]:
    router = Router()
    router.cold.append(route(shared))
    with TestClient(build(router)) as made:
        yield made


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ({}, HistorySpan(NOW - 300, NOW, 1)),
        ({"since": "1799999000"}, HistorySpan(NOW - 1000, NOW, 1)),
        ({"since": "1799900000"}, HistorySpan(NOW - 100_000, NOW, 15)),
        ({"until": "1799999000", "step": "5"}, HistorySpan(NOW - 1300, NOW - 1000, 5)),
        ({"since": "1799999000", "until": "1900000000"}, HistorySpan(NOW - 1000, NOW, 1)),
        ({"step": "60"}, HistorySpan(NOW - 300, NOW, 60)),
    ],
)
def test_spans(query: dict[str, str], span: HistorySpan) -> None:
    assert parse(query, NOW) == span


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sinse=1h", "sinse: unknown parameter (did you mean since?)"),
        ("since=yesterday", "since: must be"),
        ("until=x", "until: must be"),
        ("step=0", "step: must be a whole number from 1 to 3600"),
        ("step=20", "step: must be 1 to 15, or a multiple of 15"),
        ("step=1&step=2", "step: set twice"),
    ],
)
def test_what_makes_no_sense_is_refused(client: TestClient, query: str, message: str) -> None:
    response = client.get(f"/llmsim/stats/history?{query}")
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


def test_what_is_not_known_is_null(client: TestClient, shared: SharedState) -> None:
    shared.segment.header[5] -= 60_000_000
    begin = int(shared.segment.started) + 10
    HistoryRing(shared.segment.history(), 1).put(begin, [5.0] * len(SERIES))
    query = f"since={begin - 1}&until={begin + 1}&step=1"
    document = client.get(f"/llmsim/stats/history?{query}").json()
    assert document["step_s"] == 1
    assert document["now"] > begin
    assert document["times"] == [begin - 1, begin, begin + 1]
    assert document["series"] == {key: [None, 5.0, None] for key in SERIES}


def test_nothing_is_shown_of_the_time_before_the_start(
    client: TestClient, shared: SharedState
) -> None:
    shared.segment.header[5] -= 20_000_000
    times = client.get("/llmsim/stats/history?since=24h&step=1").json()["times"]
    assert 19 <= len(times) <= 80
    assert times[0] >= shared.segment.started
