"""Mocks and scripts: every mistake and its message, files of their own, and what nobody meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmsim import config
from llmsim.config.nodes import Place, tree
from llmsim.config.reader import read_key
from llmsim.config.schema.match import MockMatchSection
from llmsim.config.schema.responses import MockResponseSection
from llmsim.core.errors import ConfigError, ConfigFault
from llmsim.core.mocks.mock import counter_keys
from llmsim.core.mocks.response import MockResponse


def loaded(text: str, path: Path) -> config.Config:
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, {})


def faults(text: str, path: Path) -> list[ConfigFault]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, path)
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("mocks: 5", "mocks", "must be a list of at least one value, not 5"),
        ("mocks: [{}]", "mocks[0].response", "is missing: set response or responses"),
        ("mocks: [{response: a, respons: b}]", "mocks[0].respons", "did you mean response?"),
        ("mocks: [{response: {}}]", "mocks[0].response", "says nothing"),
        ("mocks: [{response: {content: 5}}]", "mocks[0].response.content", "quote it"),
        ("mocks: [{response: a, responses: [b]}]", "mocks[0].responses", "excludes response"),
        ("mocks: [{response: a, on_exhausted: loop}]", "mocks[0].on_exhausted", "about responses"),
        ("mocks: [{response: a, times: 0}]", "mocks[0].times", "whole number from 1"),
        ("mocks: [{response: a, probability: 2}]", "mocks[0].probability", "from 0 to 1"),
        ("mocks: [{response: a, priority: x}]", "mocks[0].priority", "whole number"),
        (
            "mocks: [{response: a, name: x}, {response: b, name: x}]",
            "mocks[1].name",
            "'x' is the name of another one",
        ),
        ("mocks: [{response: a, name: ' x'}]", "mocks[0].name", "without spaces around it"),
        ('mocks: [{response: a, name: "x\\ny"}]', "mocks[0].name", "must be one line"),
        (f"mocks: [{{response: a, name: {'x' * 201}}}]", "mocks[0].name", "200 characters"),
        ("mocks: [{response: '{{ nme }}'}]", "mocks[0].response", "{{ nme }} is no value"),
        ("mocks: [{response: '{{ body. }}'}]", "mocks[0].response", "after body"),
        ("mocks: [{response: '{{ match.1 }}'}]", "mocks[0].response", "needs a regular expression"),
        (
            "mocks: [{match: {content_regex: (a)}, response: '{{ match.2 }}'}]",
            "mocks[0].response",
            "has no such group",
        ),
        (
            "mocks: [{match: {content_regex: '(a'}, response: a}]",
            "mocks[0].match.content_regex",
            "missing )",
        ),
        (
            "mocks: [{match: {any_regex: '(?=a)'}, response: a}]",
            "mocks[0].match.any_regex",
            "not a regular expression that RE2 takes",
        ),
        (
            "mocks: [{match: {any_regex: 'a{1000}{5}'}, response: a}]",
            "mocks[0].match.any_regex",
            "not a regular expression that RE2 takes",
        ),
        (
            "mocks: [{match: {any_regex: '.{900}'}, response: a}]",
            "mocks[0].match.any_regex",
            "steps, where 5000 are allowed",
        ),
        ("mocks: [{match: {contains: a}, response: a}]", "mocks[0].match.contains", "unknown key"),
        ("mocks: [{match: {turns: 0}, response: a}]", "mocks[0].match.turns", "from 1"),
        (
            "mocks: [{match: {turns: {min: 3, max: 2}}, response: a}]",
            "mocks[0].match.turns.max",
            "is less than min, 3",
        ),
        ("mocks: [{match: {body: {a..b: 1}}, response: a}]", "mocks[0].match.body.a..b", "path"),
        (
            "mocks: [{match: {body: {a: {}}}, response: a}]",
            "mocks[0].match.body.a",
            "tests nothing",
        ),
        (
            "mocks: [{match: {body: {a: {exists: false, like: b}}}, response: a}]",
            "mocks[0].match.body.a.exists",
            "has no value to test",
        ),
        ("mocks: [{match: {all: []}, response: a}]", "mocks[0].match.all", "at least one"),
        (
            "mocks: [{match: {not: {any: [{modle: a}]}}, response: a}]",
            "mocks[0].match.not.any[0].modle",
            "did you mean model?",
        ),
        (
            "mocks: [{match: {model: a, case_sensitive: true}, response: a}]",
            "mocks[0].match.case_sensitive",
            "no condition here has one",
        ),
        ("mocks: [{response: {error: 200}}]", "mocks[0].response.error", "from 400 to 599"),
        (
            "mocks: [{response: {error: overlod}}]",
            "mocks[0].response.error",
            "did you mean overloaded?",
        ),
        ("mocks: [{response: {error: {}}}]", "mocks[0].response.error", "names no error"),
        (
            "mocks: [{response: {error: 429, content: a}}]",
            "mocks[0].response.content",
            "an error is told in place of an answer",
        ),
        (
            "mocks: [{response: {refusal: no, content: a}}]",
            "mocks[0].response.refusal",
            "must be text",
        ),
        (
            "mocks: [{response: {refusal: x, content: a}}]",
            "mocks[0].response.content",
            "a refusal is given in place of an answer",
        ),
        (
            "mocks: [{response: {content: a, finish_reason: tool_calls}}]",
            "mocks[0].response.finish_reason",
            "nothing is called",
        ),
        (
            "mocks: [{response: {usage: {prompt_tokens: 1, cached_tokens: 2}}}]",
            "mocks[0].response.usage.cached_tokens",
            "is more than prompt_tokens, 1",
        ),
        (
            "mocks: [{response: {tool_calls: [{arguments: {}}]}}]",
            "mocks[0].response.tool_calls[0].name",
            "is missing",
        ),
        (
            "mocks: [{response: {tool_calls: [{name: f, arguments: {a: ['{{ x }}']}}]}}]",
            "mocks[0].response.tool_calls[0].arguments.a[0]",
            "is no value",
        ),
        (
            "mocks: [{response: {latency: {ttft_mean_ms: 1}}}]",
            "mocks[0].response.latency.itl_mean_ms",
            "is missing",
        ),
        ("scripts: [{}]", "scripts[0].turns", "is missing"),
        ("scripts: [{turns: []}]", "scripts[0].turns", "at least one value"),
        ("scripts: [{turns: [a], key: user}]", "scripts[0].key", "conversation or global"),
        ("scripts: [{turns: [a], on_exhausted: stop}]", "scripts[0].on_exhausted", "repeat_last"),
        (
            "scripts: [{turns: [{error: 500}], on_exhausted: loop}]",
            "scripts[0].turns",
            "every turn is an error",
        ),
        ("mock_files: [nowhere.yaml]", "mock_files[0]", "there is no file"),
    ],
)
def test_a_mistake_has_its_message(text: str, key: str, message: str, tmp_path: Path) -> None:
    found = faults(text, tmp_path / "c.yaml")
    assert [fault.key for fault in found] == [key]
    assert message in found[0].message
    assert found[0].line == 1


def test_conditions_that_never_end_are_refused(tmp_path: Path) -> None:
    match = "{model: a}"
    for _ in range(60):
        match = f"{{not: {match}}}"
    found = faults(f"mocks: [{{match: {match}, response: a}}]", tmp_path / "c.yaml")
    assert "deep" in found[0].message


EVERYTHING = """
mocks:
- name: a
  match:
    model: gpt-*
    content_contains: x
    system_regex: a+
    any_equals: e
    tool_call_id: call_*
    tools: [f, g]
    turns: {min: 2}
    body: {metadata.x: 5, 'messages[0].content': {contains: y, exists: true}}
    headers: {x-a: b*}
    all: [{model: a}]
    any: [{endpoint: b}, {not: {dialect: c}}]
    case_sensitive: false
  priority: 3
  times: 2
  probability: 0.5
  responses:
  - text
  - content: ''
    tool_calls: [{name: f, arguments: {a: '{{ body.x }}'}}, {name: g, arguments: raw}]
    usage: {prompt_tokens: 5}
    latency: {profile: instant}
  - error: {kind: overloaded, retry_after_ms: 500}
  on_exhausted: loop
scripts:
- turns: [hi, {error: 503}, {refusal: 'No.', reasoning: hm}]
  key: global
"""


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    first = loaded(EVERYTHING, tmp_path / "a.yaml")
    again = loaded(yaml.safe_dump(config.effective(first), sort_keys=False), tmp_path / "b.yaml")
    assert (again.mocks, again.scripts) == (first.mocks, first.scripts)


def test_files_of_mocks_are_added_in_order(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "list.yaml").write_text("- response: two")
    both = {"mocks": [{"response": "three"}], "scripts": [{"turns": ["four"]}]}
    (inner / "both.json").write_text(json.dumps(both))
    text = "mocks: [{response: one}]\nmock_files: [inner/list.yaml, inner/both.json]"
    read = loaded(text, tmp_path / "c.yaml")
    assert [mock.all_responses[0].content for mock in read.mocks] == ["one", "two", "three"]
    assert [script.turns for script in read.scripts] == [(MockResponse("four"),)]
    assert read.mock_files == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\n- response: a\n  times: 0", 3, "whole number"),
        ("5", 1, "must be a list of mocks"),
        ("moks: []", 1, "did you mean mocks?"),
        ("mocks: 5", 1, "must be a list"),
        ("[", 1, "not valid YAML"),
    ],
)
def test_faults_in_a_file_of_mocks_name_it(
    text: str, line: int, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(text)
    (fault,) = faults("seed: 1\nmock_files: [m.yaml]", tmp_path / "c.yaml")
    assert (fault.where, fault.line) == (str(file), line)
    assert message in fault.message


def test_a_rule_without_a_name_is_counted_by_what_it_says(tmp_path: Path) -> None:
    same = "{response: a}"
    one = loaded(f"mocks: [{same}, {same}, {{response: b}}]", tmp_path / "a.yaml").mocks
    two = loaded(f"mocks: [{{response: c}}, {same}, {{response: b}}]", tmp_path / "b.yaml").mocks
    assert len(set(counter_keys(one))) == 3
    assert counter_keys(two)[1:] == [counter_keys(one)[0], counter_keys(one)[2]]


NAMES = [
    *(*MockMatchSection.key_names(), *MockResponseSection.key_names()),
    *("name", "match", "response", "responses", "times", "turns", "min", "equals", "like"),
    "arguments",
]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["{{ body.a }}", "{{ x }}", "(a+)+$", "a[", "gpt-*", "\ud800", "{{match.1}}"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(st.sampled_from(["mocks", "scripts", "mock_files"]), st.lists(values, max_size=3) | values)
def test_nothing_but_faults_comes_of_anything(name: str, value: object) -> None:
    try:
        read_key(name, tree(value, Place("fuzz"), name))
    except ConfigError:
        return


@given(st.text(max_size=200))
def test_any_text_is_a_file_of_mocks_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "m.yaml").write_bytes(text.encode(errors="surrogatepass"))
    (folder / "c.yaml").write_text("mock_files: [m.yaml]")
    try:
        config.load(str(folder / "c.yaml"), {}, {})
    except ConfigError:
        return
