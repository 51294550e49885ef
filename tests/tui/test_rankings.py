"""The panels of models and endpoints."""

from __future__ import annotations

from typing import Any

from llmsim.tui.rankings import endpoints, models
from tests.tui.drawing import drawn


def asked(**counts: int) -> dict[str, Any]:
    return {"models": {name: {"requests": count} for name, count in counts.items()}}


def test_the_most_asked_comes_first() -> None:
    assert drawn(models, 30, 6, asked(o3=25, small=75)) == [
        "small ███████████     75   75%",
        "o3    ███▋            25   25%",
    ]


def test_what_finds_no_room_is_one_line() -> None:
    lines = drawn(models, 36, 3, asked(a=50, b=30, c=15, d=5))
    assert [line.split()[0] for line in lines] == ["a", "b", "2"]
    assert lines[2].split() == ["2", "more", lines[2].split()[2], "20", "20%"]


def test_long_names_are_cut() -> None:
    name = "my-very-long-fine-tuned-model:2026"
    assert drawn(models, 36, 6, asked(**{name: 1}))[0].startswith("my-very-long…")


def test_requests_too_wrong_to_have_a_model() -> None:
    assert drawn(models, 36, 6, asked(**{"": 4}))[0].startswith("(none) ")


def test_no_requests() -> None:
    assert drawn(models, 36, 6, asked(o3=0)) == ["no requests yet"]


def test_endpoints() -> None:
    lines = drawn(endpoints, 50, 6, {"endpoints": {"/v1/embeddings": 1, "/v1/chat/completions": 3}})
    assert [line.split()[0] for line in lines] == ["/v1/chat/completions", "/v1/embeddings"]
    assert lines[0].endswith("75%")
