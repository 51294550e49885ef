"""``llmsim models``: the catalogue, as a table and as JSON."""

from __future__ import annotations

import json

from llmsim.core.catalog.models import MODELS
from tests.cli.conftest import Run


def test_table(run: Run) -> None:
    result = run("models")
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == (
        ["MODEL", "OWNER", "CONTEXT", "MAX", "OUTPUT", "ENCODING", "LATENCY", "REASONING"]
    )
    assert [row.split()[0] for row in rows] == list(MODELS)
    row = next(row for row in rows if row.startswith("gpt-4o "))
    model = MODELS["gpt-4o"]
    assert row.split() == [
        "gpt-4o",
        model.owner,
        str(model.context_window),
        str(model.max_output_tokens),
        "o200k_base",
        "gpt-4o",
        "no",
    ]


def test_json(run: Run) -> None:
    result = run("models", "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert [model["id"] for model in printed] == list(MODELS)
    model = next(model for model in printed if model["id"] == "gpt-4o")
    assert model["context_window"] == MODELS["gpt-4o"].context_window
    assert model["encoding"] == "o200k_base"
