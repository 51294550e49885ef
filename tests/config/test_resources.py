"""The sections about what the server keeps for its clients."""

from pathlib import Path

import pytest

from llmsim.config import (
    AssistantSettings,
    Config,
    ObjectStoreSettings,
    OpenAISettings,
    effective,
    load,
)
from llmsim.core.errors import ConfigError


def read(text: str, folder: Path) -> Config:
    file = folder / "llmsim.yaml"
    file.write_text(text, encoding="utf-8")
    return load(str(file), {}, {})


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("openai: {assistants: on}", "on"),  # which YAML 1.1 takes for true
        ("openai: {assistants: 'on'}", "on"),
        ("openai: {assistants: gone}", "gone"),
        ("openai:", "on"),
    ],
)
def test_assistants_are_there_or_gone(tmp_path: Path, text: str, service: str) -> None:
    assert read(text, tmp_path).openai.assistants == service


def test_every_key_and_back(tmp_path: Path) -> None:
    text = """
openai: {assistants: gone}
assistants: {tool_timeout_ms: 1500}
store: {path: /var/lib/llmsim.db, max_threads: 5}
"""
    config = read(text, tmp_path)
    assert config.openai == OpenAISettings("gone")
    assert config.assistants == AssistantSettings(1.5)
    assert config.store == ObjectStoreSettings("/var/lib/llmsim.db", 5)
    written = effective(config)
    assert written["store"] == {"path": "/var/lib/llmsim.db", "max_threads": 5}
    assert written["assistants"] == {"tool_timeout_ms": 1500}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("openai: {assistants: off}", "openai.assistants: must be on or gone"),
        ("openai: {assistant: gone}", "openai.assistant: unknown key (did you mean assistants?)"),
        ("store: {path: ''}", "store.path: must not be empty"),
        ("store: {max_threads: 0}", "store.max_threads: must be a whole number from 1 to 1000000"),
        ("assistants: {tool_timeout_ms: -1}", "must be a number of milliseconds from 0"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text, tmp_path)
    assert message in str(caught.value)
