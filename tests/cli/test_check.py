"""``llmsim check``: the effective configuration, or every fault."""

from __future__ import annotations

from pathlib import Path

import yaml

from llmsim import config
from tests.cli.conftest import Run


def test_prints_what_is_in_effect_as_a_file_that_reads_back(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("server: {port: 9000}\nlatency: {profile: gpt5}\n", encoding="utf-8")
    result = run("check", str(path), LLMSIM_SEED="7")
    assert result.exit_code == 0
    assert result.stderr == ""
    printed = yaml.safe_load(result.stdout)
    assert printed["server"]["port"] == 9000
    assert printed["latency"] == {"profile": "gpt-5"}
    assert printed["seed"] == 7
    again = tmp_path / "effective.yaml"
    again.write_text(result.stdout, encoding="utf-8")
    assert config.load(str(again), {}, {}) == config.load(str(path), {"LLMSIM_SEED": "7"}, {})


def test_a_line_for_each_fault_on_standard_error(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("server:\n  prot: 9000\nseed: x\n", encoding="utf-8")
    result = run("check", str(path), LLMSIM_PORT="y")
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{path}:2", "server.prot"],
        [f"{path}:3", "seed"],
        ["LLMSIM_PORT", "server.port"],
    ]


def test_a_file_that_is_not_there(run: Run) -> None:
    result = run("check", "/nowhere.yaml")
    assert result.exit_code == 2
    assert result.stderr == "/nowhere.yaml: cannot be read: No such file or directory\n"
