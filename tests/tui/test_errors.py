"""The panel of errors, and the view of all of them."""

from __future__ import annotations

from typing import Any

from llmsim.tui.errors import errors, table
from tests.tui.drawing import drawn

ERRORS: dict[str, Any] = {
    "requests": {"total": 1000, "finished": 990, "aborted": 7},
    "rate_limited": 12,
    "errors": {
        "total": 40,
        "by_status": {"500": 5, "429": 30, "529": 4, "499": 1},
        "by_kind": {
            "rate_limit": {"injected": 18, "real": 12},
            "overloaded": {"injected": 4, "real": 0},
            "internal": {"injected": 0, "real": 5},
            "timeout": {"injected": 0, "real": 0},
        },
    },
}


def test_panel() -> None:
    before = ERRORS | {"errors": {"total": 38}}
    assert drawn(errors, 22, 7, before, ERRORS) == [
        "40 errors         4.0%",
        "2.0/s      22 injected",
        "status 429          30",
        "status 500           5",
        "status 529           4",
        "rate_limit          30",
        "internal             5",
    ]


def test_panel_of_a_server_without_errors() -> None:
    assert drawn(errors, 22, 6, {"total": 3}, {"total": 4}) == ["0 errors            0%", "0/s"]


def test_panel_of_a_server_that_tells_no_kinds() -> None:
    lines = drawn(errors, 22, 6, {"errors": {"total": 2, "by_status": {"500": 2}}})
    assert lines[2:] == ["status 500           2"]


def test_view() -> None:
    assert drawn(table, 76, 20, ERRORS) == [
        "40 errors of 1,000 requests (4.0%), -/s now",
        "12 refused by rate limits, 7 aborted by clients or lost with their worker",
        "",
        "KIND                         INJECTED     REAL",
        "rate_limit                         18       12",
        "internal                            0        5",
        "overloaded                          4        0",
        "",
        "STATUS                          COUNT    SHARE",
        "429 Too Many Requests              30      75%",
        "500 Internal Server Error           5      12%",
        "529 Overloaded                      4      10%",
        "499 Client closed request           1     2.5%",
    ]


def test_view_side_by_side_where_there_is_room() -> None:
    lines = drawn(table, 116, 20, ERRORS)
    assert lines[3].split() == ["KIND", "INJECTED", "REAL", "STATUS", "COUNT", "SHARE"]
    assert lines[7].split() == ["499", "Client", "closed", "request", "1", "2.5%"]


def test_view_of_a_server_without_errors() -> None:
    lines = drawn(table, 76, 20, {"total": 3})
    assert lines[4] == "none"
    assert lines[7] == "none"


def test_a_status_that_is_no_number_is_shown_as_it_is() -> None:
    lines = drawn(table, 76, 20, {"errors": {"total": 1, "by_status": {"799": 1, "odd": 1}}})
    assert [line.split()[0] for line in lines[-2:]] == ["799", "odd"]
