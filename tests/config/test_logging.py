"""The sections that say what is told about a server: ``logging`` and ``metrics``."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from llmsim import config
from llmsim.config import Access, Logging, Metrics
from llmsim.core.errors import ConfigError


def read(text: str, tmp_path: Path) -> config.Config:
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, {})


@pytest.mark.parametrize(
    ("text", "access"),
    [
        ("off", Access("off")),
        ("'off'", Access("off")),
        ("errors", Access("errors")),
        ("all", Access("all")),
        ("sampled:0.01", Access("sampled", 0.01)),
        ("sampled:0", Access("sampled", 0.0)),
        ("sampled:1", Access("sampled", 1.0)),
    ],
)
def test_access_reads_and_writes_itself(text: str, access: Access, tmp_path: Path) -> None:
    made = read(f"logging: {{access: {text}}}", tmp_path)
    assert made.logging == Logging(access=access)
    assert read(yaml.safe_dump(config.effective(made)), tmp_path) == made


@pytest.mark.parametrize(
    "text", ["on", "true", "some", "sampled", "'sampled:'", "sampled:2", "sampled:-1"]
)
def test_no_other_access_is_taken(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"logging\.access: must be off, errors, all or sampled"):
        read(f"logging: {{access: {text}}}", tmp_path)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("logging: {format: json, prompts: true}", Logging("json", Access(), True)),
        ("logging: {}", Logging("console", Access("off"), False)),
    ],
)
def test_logging(text: str, made: Logging, tmp_path: Path) -> None:
    assert read(text, tmp_path).logging == made


def test_metrics(tmp_path: Path) -> None:
    assert read("", tmp_path).metrics == Metrics(False, "llmsim", 256)
    text = "metrics: {vllm: true, vllm_model: mine, vllm_capacity: 8}"
    assert read(text, tmp_path).metrics == Metrics(True, "mine", 8)


@pytest.mark.parametrize("text", ["1", "on-off", "'true'", "~x"])
def test_a_switch_is_on_or_off(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"metrics\.vllm: must be true or false"):
        read(f"metrics: {{vllm: {text}}}", tmp_path)
