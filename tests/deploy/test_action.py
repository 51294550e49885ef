"""The GitHub Action: its steps as a runner runs them, but for the installation and the upload."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

import llmsim

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {one["name"]: one for one in ACTION["runs"]["steps"]}


class Runner:
    """Runs steps in a folder, each with the variables that those before it have set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if "LLMSIM" not in name}
        for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH"):
            self.env[name] = str(folder / name)
            Path(self.env[name]).touch()
        self.env |= {"RUNNER_TEMP": str(folder), "PYTHONPATH": str(ROOT)}
        program = folder / "bin" / "llmsim"
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\necho $$ > "{folder}/pid"\nexec {sys.executable} -m llmsim "$@"\n'
        )
        program.chmod(0o755)
        self.env["PATH"] = f"{program.parent}{os.pathsep}{self.env['PATH']}"

    def run(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        step = STEPS[name]
        defaults = {name: one["default"] for name, one in ACTION["inputs"].items()}
        values = defaults | inputs
        own = {}
        for variable, text in step.get("env", {}).items():
            key = text.removeprefix("${{ inputs.").removesuffix(" }}")
            own[variable] = values[key]
        ended = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            env=self.env | own, cwd=self.folder, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        for line in (self.folder / "GITHUB_ENV").read_text().splitlines():
            variable, _, value = line.partition("=")
            self.env[variable] = value
        return ended


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    made = Runner(tmp_path)
    yield made
    if (tmp_path / "pid").exists():
        with suppress(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


def test_it_starts_runs_and_keeps_what_was_sent(runner: Runner) -> None:
    started = runner.run("Start llmsim")
    assert started.returncode == 0, started.stdout
    assert (runner.folder / "GITHUB_OUTPUT").read_text() == f"url={runner.env['LLMSIM_URL']}\n"
    asked = json.dumps({"model": "gpt-4o", "input": "Hi"})
    curl = f"curl -sf $OPENAI_BASE_URL/responses -H 'content-type: application/json' -d '{asked}'"
    assert runner.run("Run", run=f"{curl}; false").returncode == 1
    assert runner.run("Keep the journal").returncode == 0
    kept: dict[str, Any] = json.loads((runner.folder / "llmsim-requests.json").read_text())
    assert [one["request"]["input"] for one in kept["requests"]] == ["Hi"]


def test_it_sets_what_a_server_of_the_library_sets(runner: Runner) -> None:
    runner.run("Start llmsim")
    server = llmsim.Addresses(runner.env["LLMSIM_URL"])
    assert server.env().items() <= runner.env.items()


def test_mistakes_in_the_configuration_are_shown(runner: Runner) -> None:
    (runner.folder / "sim.yaml").write_text("seed: x")
    started = runner.run("Start llmsim", config="sim.yaml")
    assert started.returncode == 1
    assert "sim.yaml:1: seed:" in started.stdout


def test_conditions_name_inputs_that_exist() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    for word in text.replace("(", " ").split():
        if word.startswith("inputs."):
            assert word.removeprefix("inputs.") in ACTION["inputs"]
