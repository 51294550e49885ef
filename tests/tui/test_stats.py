"""The document the dashboard reads."""

from __future__ import annotations

import time

import msgspec
import pytest

from llmsim.config import Config
from llmsim.server.admin.status import stats_document
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.telemetry.snapshot import Snapshot
from llmsim.tui import stats
from llmsim.tui.stats import ErrorKindStats, ServerStats


def test_an_older_server_that_tells_little() -> None:
    read = stats.decoded(b'{"uptime_s": 3, "requests": {"total": 4}, "novelty": [1]}')
    assert (read.uptime_s, read.requests.total) == (3.0, 4)
    assert read.version is None
    assert read.rate_limits == ()
    assert read.itl_ms.p99 is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "truncated"),
        (b"<html>", "malformed"),
        (b'{"status": "ok"}', "uptime_s"),
        (b'{"uptime_s": 1, "requests": {"total": "x"}}', "requests.total"),
        (b'{"uptime_s": 1, "requests": {"total": 1}, "models": []}', "models"),
    ],
)
def test_what_is_none_of_llmsims_is_refused_by_name(body: bytes, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        stats.decoded(body)


def test_it_is_what_the_server_tells_key_by_key() -> None:
    """Every key the dashboard shows is one the server has, so that none can go unnoticed."""
    shared = SharedState(new_segment(Config()))
    row = shared.counters.row("/v1/chat/completions", "gpt-5", 429)
    shared.counters.started()
    shared.counters.finished(row, int(time.monotonic()), (3, 5, 1, 2), True)
    document = stats_document(shared, Snapshot(shared.all_counters))
    read = msgspec.convert(document, ServerStats)
    assert read.tokens == stats.TokenStats(3, 5, 1, 2)
    assert read.models == {"gpt-5": stats.ModelStats(1, 3, 5)}
    assert read.errors.by_status == {"429": 1}
    missing = {one.name for one in msgspec.structs.fields(ServerStats)} - document.keys()
    assert not missing
    for name, kind in (
        ("requests", stats.RequestStats),
        ("tokens", stats.TokenStats),
        ("errors", stats.ErrorStats),
    ):
        assert {one.name for one in msgspec.structs.fields(kind)} <= document[name].keys()
    assert {one.name for one in msgspec.structs.fields(stats.WorkerStats)} <= document["workers"][
        0
    ].keys()


def test_kinds_of_errors() -> None:
    body = b'{"uptime_s": 1, "requests": {"total": 1}, "errors": {"by_kind": {"x": {"real": 2}}}}'
    assert stats.decoded(body).errors.by_kind == {"x": ErrorKindStats(0, 2)}
