"""The document the dashboard reads."""

from __future__ import annotations

import time

import msgspec
import pytest

from llmsim.config import Config
from llmsim.server.admin.status import stats_document
from llmsim.state.shared_state import SharedState, new_segment
from llmsim.tui import stats
from llmsim.tui.stats import Kind, Stats


def test_an_older_server_that_tells_little() -> None:
    told = stats.decoded(b'{"uptime_s": 3, "requests": {"total": 4}, "novelty": [1]}')
    assert (told.uptime_s, told.requests.total) == (3.0, 4)
    assert told.version is None
    assert told.rate_limits == ()
    assert told.itl_ms.p99 is None


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
    document = stats_document(shared, shared.snapshot())
    told = msgspec.convert(document, Stats)
    assert told.tokens == stats.Tokens(3, 5, 1, 2)
    assert told.models == {"gpt-5": stats.Model(1, 3, 5)}
    assert told.errors.by_status == {"429": 1}
    missing = {one.name for one in msgspec.structs.fields(Stats)} - document.keys()
    assert not missing
    for name, kind in (
        ("requests", stats.Requests),
        ("tokens", stats.Tokens),
        ("errors", stats.Errors),
    ):
        assert {one.name for one in msgspec.structs.fields(kind)} <= document[name].keys()
    assert {one.name for one in msgspec.structs.fields(stats.Worker)} <= document["workers"][
        0
    ].keys()


def test_kinds_of_errors() -> None:
    body = b'{"uptime_s": 1, "requests": {"total": 1}, "errors": {"by_kind": {"x": {"real": 2}}}}'
    assert stats.decoded(body).errors.by_kind == {"x": Kind(0, 2)}
