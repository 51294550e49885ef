"""Changing a configuration that is in effect."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from llmsim.config import Config, Control, Response, change, nodes
from llmsim.config.nodes import Place, tree
from llmsim.core.api_keys import ApiKey
from llmsim.core.errors import ConfigError

HERE = Place("PATCH /llmsim/x")
BEFORE = replace(Config(), response=Response(target_tokens=7), control=Control(token="secret"))


@pytest.mark.parametrize(
    ("section", "patch", "expected"),
    [
        ("response", {"target_tokens": 9}, replace(BEFORE, response=Response(target_tokens=9))),
        ("response", {"target_tokens": None}, replace(BEFORE, response=Response())),
        ("response", {}, BEFORE),
        ("response", None, replace(BEFORE, response=Response())),
        ("seed", 3, replace(BEFORE, seed=3)),
        ("server", {"port": 8080}, BEFORE),
    ],
)
def test_a_patch(section: str, patch: object, expected: Config) -> None:
    assert change.patched(BEFORE, section, tree(patch, HERE)) == expected


@pytest.mark.parametrize(
    ("section", "patch", "key"),
    [
        ("server", {"port": 1}, "server"),
        ("control", {"token": None}, "control"),
        ("response", {"target_tokens": "many"}, "response.target_tokens"),
        ("response", {"target": 1}, "response.target"),
        ("response", [1], "response"),
        ("seed", -1, "seed"),
    ],
)
def test_a_patch_that_is_refused(section: str, patch: object, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        change.patched(BEFORE, section, tree(patch, HERE))
    assert [(one.where, one.key) for one in caught.value.faults] == [(HERE.where, key)]


def test_several_sections_change_together_or_not_at_all() -> None:
    both = {"response": {"target_tokens": 1}, "latency": {"profile": "fast"}}
    changed = change.patched_whole(BEFORE, tree(both, HERE))
    assert (changed.response.target_tokens, changed.latency.default.profile) == (1, "fast")
    wrong = {"response": {"target_tokens": 0}, "latncy": {}}
    with pytest.raises(ConfigError) as caught:
        change.patched_whole(BEFORE, tree(wrong, HERE))
    assert [one.key for one in caught.value.faults] == ["response.target_tokens", "latncy"]


def test_reloading_takes_only_what_can_change() -> None:
    fresh = replace(Config(), seed=5, validation="strict")
    after, left = change.reloaded(BEFORE, fresh)
    assert after == replace(BEFORE, seed=5, response=Response())
    assert left == ("control", "validation")


def test_the_token_is_not_shown() -> None:
    assert change.public(BEFORE)["control"] == {
        "enabled": True,
        "headers": True,
        "protect_metrics": False,
    }


def test_api_keys_are_not_shown() -> None:
    assert "sk-1" not in str(change.public(replace(BEFORE, keys=(ApiKey("sk-1", "me"),))))


def test_what_can_change_is_a_section() -> None:
    assert set(change.CHANGEABLE) <= {field.name for field in fields(Config)}


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: object = 1
    for _ in range(nodes.DEEPEST):
        value = [value]
    with pytest.raises(ConfigError, match="nested too deeply"):
        tree(value, HERE)
