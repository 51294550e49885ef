"""A request of the journal as one line."""

from typing import Any

import click
import pytest

from llmsim.cli.requests.lines import HEAD, line

ENTRY: dict[str, Any] = {
    "id": "0" * 26,
    "endpoint": "/v1/chat/completions",
    "model": "gpt-4o",
    "status": 200,
    "arrived": 1_700_000_000.25,
    "actual": {"first_ms": 20.0, "total_ms": 50.25},
    "lateness_max_ms": 0.125,
    "tokens": {"prompt": 8, "completion": 11},
    "error": None,
    "injected": False,
    "mock": None,
}


def test_columns_are_under_their_names() -> None:
    text = line(ENTRY)
    for name, value in (("STATUS", "200"), ("TOTAL MS", "50.2"), ("TOKENS", "8+11")):
        end = HEAD.index(name) + len(name)
        assert text[:end].endswith(value)
    assert text.endswith("gpt-4o")


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"status": None, "actual": {"first_ms": None, "total_ms": None}}, "gpt-4o"),
        ({"status": 429, "error": "rate_limit", "injected": True}, "rate_limit (injected)"),
        ({"status": 499}, "the client left"),
        ({"mock": "hello"}, "mock hello"),
    ],
)
def test_why(changes: dict[str, Any], end: str) -> None:
    assert click.unstyle(line(ENTRY | changes)).endswith(end)
