"""docs/fit.md: from a recording to a load test, as the page says, with times that are a sixth."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.test_record import proxied
from tests.serving import Server

PAGE = (Path(__file__).parents[2] / "docs" / "fit.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line)
    for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
QUICK = 6
FEW = ("1x44", "4x6", "8x6")
LAST = ("4x2",)


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def quick(document: dict[str, Any]) -> dict[str, Any]:
    """The service with all its times a sixth."""
    rule = document["latency"]["models"]["my-*"]
    for name in ("ttft_ms", "itl_ms"):
        rule[name] |= {one: rule[name][one] / QUICK for one in ("mean", "stddev")}
    rule["prefill_ms_per_token"] /= QUICK
    rule["load"]["itl_ms_at"] = {at: time / QUICK for at, time in rule["load"]["itl_ms_at"].items()}
    return document


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example(serve: Callable[..., Server], tmp_path: Path) -> None:
    real, record, users, fit, fitted, again = COMMANDS
    service = quick(yaml.safe_load(block("yaml")))
    (tmp_path / "service.yaml").write_text(yaml.safe_dump(service))
    (tmp_path / "users.py").write_text(block("python"))

    assert real[:2] == fitted[:2] == ["llmsim", "serve"]
    with serve("--config", str(tmp_path / "service.yaml"), "--workers", "2") as sim:
        flags = [word.replace("http://127.0.0.1:8001", sim.url) for word in record[2:6]]
        with proxied(tmp_path / "recordings", *flags) as proxy:
            assert users[3:] == ["1x150", "4x15", "8x15", "28x8"]
            run([users[1], proxy.url, *FEW], tmp_path)
    printed = run(["-m", *fit], tmp_path)
    assert re.search(r"my-model +time between tokens +\w+ +[\d.]+ ms", printed)
    assert "<svg" in (tmp_path / "fit.html").read_text()

    made = yaml.safe_load((tmp_path / "profile.yaml").read_text())
    was, now = service["latency"]["models"]["my-*"], made["latency"]["models"]["my-model"]
    for name in ("ttft_ms", "itl_ms"):  # what else the machine does is measured, too
        assert mean(now[name]) == pytest.approx(mean(was[name]), rel=0.5), printed
    lengths = made["response"]["target_tokens"]
    assert mean(lengths) == pytest.approx(14, rel=0.2), printed

    with serve("--config", str(tmp_path / "profile.yaml")) as sim:
        run([again[1], sim.url, *LAST], tmp_path)


def mean(one: Any) -> float:
    if not isinstance(one, dict):
        return float(one)
    if "quantiles" in one:
        return float(sum(one["quantiles"]) / len(one["quantiles"]))
    return float(one["mean"])
