"""The panels of requests and tokens."""

from __future__ import annotations

from llmsim.tui.traffic import requests, tokens
from tests.tui.drawing import drawn

WIDTH = 36


def test_requests() -> None:
    before = {"requests": {"total": 100}}
    after = {
        "requests": {
            "total": 140,
            "finished": 130,
            "aborted": 2,
            "active": 8,
            "active_streaming": 5,
        }
    }
    assert drawn(requests, WIDTH, 4, before, after) == [
        "40.0 req/s       active 8, streams 5",
        "                                   █",
        "                                   █",
        "total 140    done 130    aborted 2",
    ]


def test_tokens() -> None:
    before = {"tokens": {"prompt": 10, "completion": 0}}
    after = {"tokens": {"prompt": 1010, "completion": 12_500, "reasoning": 3, "cached": 4}}
    assert drawn(tokens, WIDTH, 4, before, after)[0] == "12.5k tok/s out       1,000 tok/s in"
    assert drawn(tokens, WIDTH, 4, before, after)[3] == "out 12,500 in 1,010 think 3 cached 4"
    assert drawn(tokens, 60, 4, before, after)[3].endswith("cached 4   peak/s 12,500")


def test_before_there_is_a_rate() -> None:
    assert drawn(requests, WIDTH, 4, {"total": 3})[0].startswith("- req/s")


def test_great_numbers_still_fit() -> None:
    huge = {
        "requests": dict.fromkeys(
            ("total", "finished", "aborted", "active", "active_streaming"), 10**12
        )
    }
    assert (
        drawn(requests, WIDTH, 4, {"total": 0}, huge)[3] == "total 1.00T done 1.00T aborted 1.00T"
    )
