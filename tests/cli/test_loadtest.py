"""``llmsim loadtest``: what it refuses, and what it starts."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from llmsim.cli import main

NEEDED = ("loadtest", "smoke", "--target", "http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("loadtest", "flood", "--target", "x"), "smoke"),
        (("loadtest", "smoke"), "--target"),
        ((*NEEDED, "-H", "nonsense"), "NAME:VALUE"),
        ((*NEEDED, "--duration", "soon"), "30s, 5m"),
    ],
)
def test_impossible_values_are_refused(args: tuple[str, ...], message: str) -> None:
    found = CliRunner().invoke(main, args)
    assert found.exit_code == 2
    assert message in found.output


def test_locust_has_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, Any] = {}

    class Done:
        returncode = 1

    def run(line: list[str], env: dict[str, str], check: bool) -> Done:
        started.update(line=line, env=env)
        return Done()

    monkeypatch.setattr(subprocess, "run", run)
    args = (*NEEDED, "--rate", "7", "--duration", "2m", "-H", "a: b", "--plain", "--processes", "3")
    assert CliRunner().invoke(main, args).exit_code == 1
    assert started["line"][-2:] == ["--processes", "3"]
    assert "http://127.0.0.1:1" in started["line"]
    env = started["env"]
    assert (env["LOAD_SHAPE"], env["LOAD_RATE"], env["LOAD_DURATION"]) == ("smoke", "7.0", "120.0")
    assert (env["LOAD_PLAIN"], env["LOAD_HEADERS"]) == ("1", '[["a", "b"]]')
    assert "LOAD_MAX_TTFT_P95_MS" not in env


def test_the_file_that_locust_runs_is_there() -> None:
    found = CliRunner().invoke(main, ["loadtest", "--locustfile"])
    assert Path(found.output.strip()).is_file()
