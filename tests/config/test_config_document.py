"""docs/config.md documents every key of the configuration, and no other, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from llmsim.config.json_schema import json_schema
from llmsim.core.catalog.profiles import PRESETS

PAGE = (Path(__file__).parents[2] / "docs/config.md").read_text("utf-8")
SCHEMA = json_schema()
VALUE = re.compile(r"`.+`|[\d.]+")
ROW = re.compile(r"^\| (`[^|]*) \| ([^|]*?) ?\| ")


def objects(value: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every mapping that a value may be: its definition, what is put behind the value's key to
    get to it, and its schema."""
    for one in (value, *value.get("anyOf", ())):
        if "$ref" in one:
            name = one["$ref"].rpartition("/")[2]
            for _, suffix, found in objects(SCHEMA["definitions"][name]):
                yield name, suffix, found
        if "properties" in one:
            yield "", "", one
        for keyword, suffix in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(one.get(keyword), dict):
                for name, further, found in objects(one[keyword]):
                    yield name, suffix + further, found


def keys(
    schema: dict[str, Any], owner: str = "", path: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every key: where it is, ``DEFINITION.key``, and its schema. A mapping that can be in itself
    (a match) is entered once."""
    for key, value in schema["properties"].items():
        yield path + key, f"{owner}.{key}", value
        for name, suffix, inner in objects(value):
            if name not in above:
                yield from keys(inner, name, f"{path}{key}{suffix}.", (*above, name))


KEYS = list(keys(SCHEMA))


def documented() -> Iterator[tuple[str, str]]:
    """The keys of the page's tables, each after the path in its heading, and their defaults."""
    heading = ""
    for line in PAGE.splitlines():
        if line.startswith("#"):
            found = re.findall(r"`(.+?)`", line)
            heading = f"{found[0]}." if len(found) == 1 else ""
        elif row := ROW.match(line):
            for key in re.findall(r"`(.+?)`", row[1]):
                yield heading + key, row[2]


DOCUMENTED = list(documented())


def fits(path: str, pattern: str) -> bool:
    """Whether a key is one of those that the page means; ``*`` stands for any part of a name."""
    names, patterns = path.split("."), pattern.replace("[]", "[[]]").split(".")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in DOCUMENTED])
def test_what_is_documented_is_a_key(pattern: str) -> None:
    assert any(fits(path, pattern) for path, _, _ in KEYS)


def test_every_key_is_documented() -> None:
    found = {key for path, key, _ in KEYS if any(fits(path, one) for one, _ in DOCUMENTED)}
    sections = {f".{name}" for name in SCHEMA["properties"] if f"## `{name}`" in PAGE}
    assert sorted({key for _, key, _ in KEYS} - found - sections) == []


def test_defaults_are_those_of_the_schema() -> None:
    """Where both have one; what is no value (`of the profile`) is not compared."""
    compared = 0
    for path, _, schema in KEYS:
        for pattern, default in DOCUMENTED:
            value = schema.get("default")
            if path == pattern and value is not None and VALUE.fullmatch(default):
                assert default.strip("`") == str(value).lower(), path
                compared += 1
    assert compared > 40


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_documented(name: str) -> None:
    preset = PRESETS[name]
    times = [preset.ttft.mean, preset.ttft.stddev, preset.itl.mean, preset.itl.stddev]
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", row[len(name) + 3 :])]
    assert numbers == [round(time * 1000, 3) for time in (*times, preset.prefill)]
