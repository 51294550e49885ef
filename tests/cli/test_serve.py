"""``llmsim serve`` as far as it does not serve; tests/live does the rest."""

from __future__ import annotations

import socket
from pathlib import Path

from llmsim.config.sources import PATHS
from tests.cli.conftest import Run


def test_has_a_flag_for_each_key_that_may_have_one(run: Run) -> None:
    text = run("serve", "--help").output
    assert all(f"--{flag.replace('_', '-')} " in text for flag in (*PATHS, "config"))


def test_all_faults_before_anything_starts(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("errors: {rate_limit_rate: 1.5}\n", encoding="utf-8")
    args = ("--config", str(path), "--port", "x", "--latency", "quick", "--target-tokens", "0")
    result = run("serve", *args, LLMSIM_WORKERS="many")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        f"{path}:1",
        "--port",
        "LLMSIM_WORKERS",
        "--latency",
        "--target-tokens",
    ]


def test_a_port_that_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    assert result.exit_code == 1
    assert result.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
