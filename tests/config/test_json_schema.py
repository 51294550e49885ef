"""The JSON Schema says what llmsim does: it takes every example, and refuses what it can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

from llmsim import config
from llmsim.cli import main
from llmsim.config import Config
from llmsim.config.json_schema import json_schema
from llmsim.config.schema.section import Section
from llmsim.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
CHECKED_IN = ROOT / "examples/llmsim.schema.json"
HEADER = "# yaml-language-server: $schema=llmsim.schema.json\n"
SCHEMA = json_schema()
VALIDATOR = Draft7Validator(SCHEMA)

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
PAGES = sorted((ROOT / "docs").glob("*.md"))
SECTIONS = set(SCHEMA["properties"])


def snippets() -> list[Any]:
    """The configurations in the documentation, by page."""
    found = []
    for page in PAGES:
        for number, text in enumerate(
            re.findall(r"```ya?ml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
        ):
            value = yaml.safe_load(text)
            if isinstance(value, dict) and value.keys() <= SECTIONS:
                found.append(pytest.param(text, id=f"{page.stem}-{number}"))
    return found


SNIPPETS = snippets()


def errors(text: str) -> list[str]:
    value = yaml.safe_load(text)
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(value)]


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.output) == SCHEMA


def test_what_is_checked_in_is_what_the_command_prints() -> None:
    assert CHECKED_IN.read_text("utf-8") == CliRunner().invoke(main, ["schema"]).output


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_it_takes_every_example(path: Path) -> None:
    text = path.read_text("utf-8")
    assert errors(text) == []
    assert text.startswith(HEADER)


@pytest.mark.parametrize("text", SNIPPETS)
def test_it_takes_every_configuration_of_the_documentation(text: str) -> None:
    assert errors(text) == []


def test_there_are_such_configurations() -> None:
    assert len(SNIPPETS) > 10


def test_it_takes_what_is_in_effect() -> None:
    assert list(VALIDATOR.iter_errors(config.effective(Config()))) == []


@pytest.mark.parametrize(
    "text",
    [
        "server:\nlatency: {models: }\nseed: ~",
        "latency: {profile: gpt5}",
        "logging: {access: off}",
        "logging: {access: sampled:0.25}",
        "response: {generator: 'fixed:hello\n\n  you'}",
        "errors: {rules: [{first: 3, fault: {cut: {after_tokens: 5}}}]}",
        "timetable: [{from: 90, to: 1.5h, ramp: up, overloaded_rate: 0.5}]",
        "keys: [a, {key: b, name: me}]",
        "mocks: [{response: hello}, {response: {error: 503}}, {response: {error: overloaded}}]",
        "mocks: [{match: {not: {model: a}, tools: f, turns: 2, body: {a: null}}, response: ''}]",
        "mocks: [{match: {headers: {x-a: 'b*', x-b: {exists: false}}}, response: hi}]",
        "mocks: [{response: {tool_calls: [{name: f, arguments: {a: 1}}]}}]",
        "mocks: [{response: {tool_calls: [{name: f, arguments: as it is}]}}]",
    ],
)
def test_both_take(text: str, tmp_path: Path) -> None:
    path = tmp_path / "llmsim.yaml"
    path.write_text(text, encoding="utf-8")
    config.load(str(path), {}, {})
    assert errors(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "[server]",
        "servr: {}",
        "server: {prot: 1}",
        "server: {port: -1}",
        "server: {port: '8080'}",
        "server: {port: 80.5}",
        "server: {log_level: loud}",
        "server: {drain_timeout_ms: -1}",
        "latency: {profile: gtp5}",
        "latency: {models: {a: fast}}",
        "response: {generator: loren}",
        "response: {generator: 'fixed:'}",
        "response: {sequence: []}",
        "errors: {server_error_rate: 1.1}",
        "errors: {rules: []}",
        "errors: {rules: [{kind: rate_limt}]}",
        "errors: {faults: {cutt: {}}}",
        "errors: {faults: {cut: {rates: 0.1}}}",
        "timetable: [{from: 3 minutes}]",
        "rate_limits: [{requests_per_minute: 0}]",
        "rate_limits: [{tokens: 1}]",
        "concurrency: {max_concurrency: 0}",
        "keys: [5]",
        "keys: [{name: me}]",
        "mocks: 5",
        "mocks: [{respons: a}]",
        "mocks: [{match: {contains: a}, response: a}]",
        "mocks: [{match: {not: [{model: a}]}, response: a}]",
        "mocks: [{match: {not: {any: [{modle: a}]}}, response: a}]",
        "mocks: [{match: {turns: 0}, response: a}]",
        "mocks: [{match: {body: {a: {}}}, response: a}]",
        "mocks: [{match: {headers: {a: 5}}, response: a}]",
        "mocks: [{response: {error: 200}}]",
        "mocks: [{response: {error: overlod}}]",
        "mocks: [{response: {content: 5}}]",
        "scripts: [{turns: []}]",
        "scripts: [{turns: [a], key: user}]",
        "metrics: {vllm: 1}",
        "logging: {access: some}",
        "logging: {access: sampled:2}",
        "models: {available: gpt-4}",
        "validation: hard",
        "seed: -1",
    ],
)
def test_both_refuse(text: str, tmp_path: Path) -> None:
    path = tmp_path / "llmsim.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        config.load(str(path), {}, {})
    assert errors(text)


def test_every_key_is_described() -> None:
    bare = []
    for name, definition in {"": SCHEMA, **SCHEMA["definitions"]}.items():
        objects = [one for one in (definition, *definition.get("anyOf", ())) if "properties" in one]
        assert len(objects) == 1, name
        assert objects[0]["description"], name
        for key, value in objects[0]["properties"].items():
            referred = "$ref" in json.dumps(value.get("anyOf", value.get("$ref", "")))
            if "description" not in value and not referred:
                bare.append(f"{name}.{key}")
    assert bare == []


def sections(base: type[Section] = Section) -> list[type[Section]]:
    return [one for each in base.__subclasses__() for one in (each, *sections(each))]


def test_defaults_are_those_of_the_types_that_sections_become() -> None:
    compared = 0
    for section in sections():
        if not section.__module__.startswith("llmsim.config.schema."):
            continue
        domain = vars(section).get("domain")
        required = [name for name, field in section.model_fields.items() if field.is_required()]
        if domain is None or required:
            continue
        built = section.model_construct(set()).build()
        assert built == domain(), section.__name__
        compared += 1
    assert compared > 25
