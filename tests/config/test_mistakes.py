"""Every mistake a configuration can have, and the message it gets."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from llmsim import config
from llmsim.config import Config
from llmsim.config.document import SHORT
from llmsim.config.nodes import DEEPEST
from llmsim.config.schema.latency import LatencyRuleSection
from llmsim.config.schema.server import ServerSection
from llmsim.core.errors import ConfigError, ConfigFault

SERVER_KEYS = ", ".join(ServerSection.key_names())
RULE_KEYS = ", ".join(LatencyRuleSection.key_names())
PROFILES = (
    "auto or one of gpt-4, gpt-4o, gpt-5, gpt-5-mini, o-series, claude-opus, claude-sonnet, "
    "claude-haiku, gemini-pro, gemini-flash, deepseek, deepseek-reasoner, fast, instant"
)
MS = "must be a number of milliseconds from 0 to 86400000"
LOGNORMAL = (
    "a lognormal or gamma with a deviation needs a mean above 0; set each mean together with its "
    "deviation, as the mean of a profile may be 0"
)
MISSING_TTFT = (
    "is missing: without a profile, a time to first token is needed (this, ttft_ms, "
    "ttft_overhead_ms or prefill_ms_per_token); or name a profile to start from"
)
MISSING_ITL = (
    "is missing: without a profile, a time between tokens is needed (this or itl_ms); or name a "
    "profile to start from"
)
MILLIS = "must be a number of milliseconds from 0 to 86400000, or a mapping"
NAMES = ", ".join(field.name for field in fields(Config))
SECTIONS = f"a mapping with the keys {NAMES}"
ADDRESS = "must be an IP address such as 0.0.0.0, 127.0.0.1 or ::"
WHOLE = "must be a whole number from"
PORT = f"{WHOLE} 0 to 65535"
SEED = f"{WHOLE} 0 to 9223372036854775807"
TOKENS = f"{WHOLE} 1 to 1000000"
LENGTH = f"{TOKENS}, or a mapping"
RATE = "must be a number from 0 to 1"
LIST = "must be a list of at least one value"
LEVEL = "must be debug, info, warning or error"
GENERATOR = "must be lorem, echo, random, sequence or fixed:TEXT"


def faults(text: str, path: Path) -> list[ConfigFault]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(str(path), {}, {})
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        # the shape of the file
        ("[a]", 1, "", f"must be {SECTIONS}, not a list"),
        ("7", 1, "", f"must be {SECTIONS}, not 7"),
        ("server: 5", 1, "server", f"must be a mapping with the keys {SERVER_KEYS}, not 5"),
        ("server: [a]", 1, "server", f"must be a mapping with the keys {SERVER_KEYS}, not a list"),
        (
            "\nmodles: {}",
            2,
            "modles",
            f"unknown key (did you mean models?); valid are {NAMES}",
        ),
        (
            "server: {prot: 1}",
            1,
            "server.prot",
            f"unknown key (did you mean port?); valid are {SERVER_KEYS}",
        ),
        ("server: {zzz: 1}", 1, "server.zzz", f"unknown key; valid are {SERVER_KEYS}"),
        ("server: {<<: {port: 1}}", 1, "server.<<", f"unknown key; valid are {SERVER_KEYS}"),
        ("server:\n  port: 1\n  port: 2", 3, "server.port", "set twice, first on line 2"),
        # recordings
        (
            "mocks:\n- {response: {recording: rec_1}}",
            2,
            "mocks",
            "one of them answers with a recording: set replay.path",
        ),
        (
            "replay: {path: a}\nscripts: [{turns: [{recording: rec_1, content: a}]}]",
            2,
            "scripts[0].turns[0].content",
            "a recording is the whole answer",
        ),
        # limits and keys
        ("rate_limits: []", 1, "rate_limits", f"{LIST}, not an empty list"),
        (
            "rate_limits: [{requests_per_minute: 0}]",
            1,
            "rate_limits[0].requests_per_minute",
            f"{WHOLE} 1 to 1000000000, not 0",
        ),
        (
            "rate_limits: [{key: a}]",
            1,
            "rate_limits[0].requests_per_minute",
            "is missing: a rule sets one of requests_per_minute, tokens_per_minute, "
            "input_tokens_per_minute, output_tokens_per_minute, requests_per_day, "
            "concurrent_requests",
        ),
        (
            "rate_limits: [{requests_per_day: 5, burst: 2}]",
            1,
            "rate_limits[0].burst",
            "is the burst of requests_per_minute, which is not set",
        ),
        (
            "rate_limits:\n- {requests_per_day: 5}\n- {requests_per_day: 6}",
            3,
            "rate_limits[1]",
            "is for the same keys and models as rate_limits[0], which matches first",
        ),
        (
            "concurrency: {queue_limit: 5}",
            1,
            "concurrency.max_concurrency",
            "is missing: without it nothing ever waits",
        ),
        (
            "keys: [5]",
            1,
            "keys[0]",
            'must be an API key, or a mapping with the keys key, name, not 5 (quote it: "5")',
        ),
        ("keys: [a, a]", 1, "keys[1]", "'a' is listed twice"),
        ("seed: 1\nseed: 1", 2, "seed", "set twice, first on line 1"),
        ("? [a]\n: 1", 1, "", "a key must be text"),
        (
            "seed: !!python/object:os.system 1",
            1,
            "seed",
            "the tag tag:yaml.org,2002:python/object:os.system is not read here",
        ),
        (
            "server: {port: 1",
            1,
            "",
            "not valid YAML: while parsing a flow mapping expected ',' or '}', "
            "but got '<stream end>'",
        ),
        ("a: *x", 1, "", "not valid YAML: found undefined alias 'x'"),
        (
            "seed: 1\n---\nseed: 2",
            2,
            "",
            "not valid YAML: expected a single document in the stream but found another document",
        ),
        ("seed: 1\n\x07", 2, "", "not valid YAML: special characters are not allowed"),
        ("&a [*a]", 1, "[0]", "an alias inside the value it stands for"),
        # server
        ("server: {host: example.org}", 1, "server.host", f"{ADDRESS}, not 'example.org'"),
        ("server: {host: [x]}", 1, "server.host", f"{ADDRESS}, not a list"),
        ("server: {port: -1}", 1, "server.port", f"{PORT}, not -1"),
        ("server: {port: 65536}", 1, "server.port", f"{PORT}, not 65536"),
        ("server: {port: 80.5}", 1, "server.port", f"{PORT}, not 80.5"),
        ("server: {port: 8080.0}", 1, "server.port", f"{PORT}, not 8080.0"),
        ("server: {port: '8080'}", 1, "server.port", f"{PORT}, not the text '8080'"),
        ("server: {port: yes}", 1, "server.port", f"{PORT}, not yes"),
        ("server: {port: 010}", 1, "server.port", f"{PORT}, not '010'"),
        ("server: {port: 1:30}", 1, "server.port", f"{PORT}, not '1:30'"),
        ("server: {port: .nan}", 1, "server.port", f"{PORT}, not .nan"),
        ("server: {port: }", 1, "server.port", f"{PORT}, not nothing"),
        ("server: {port: {a: 1}}", 1, "server.port", f"{PORT}, not a mapping"),
        ("server: {workers: 0}", 1, "server.workers", f"{WHOLE} 1 to 512, not 0"),
        ("server: {workers: true}", 1, "server.workers", f"{WHOLE} 1 to 512, not true"),
        (
            "server: {log_level: debgu}",
            1,
            "server.log_level",
            f"{LEVEL}, not 'debgu' (did you mean debug?)",
        ),
        (
            "server: {max_body_bytes: 1}",
            1,
            "server.max_body_bytes",
            f"{WHOLE} 1024 to 1073741824, not 1",
        ),
        ("server: {max_connections: 0}", 1, "server.max_connections", f"{TOKENS}, not 0"),
        ("server: {max_open_streams: x}", 1, "server.max_open_streams", f"{TOKENS}, not 'x'"),
        (
            "server: {drain_timeout_ms: -1}",
            1,
            "server.drain_timeout_ms",
            "must be a number of milliseconds from 0 to 3600000, not -1",
        ),
        (
            "server: {drain_timeout: 1}",
            1,
            "server.drain_timeout",
            f"unknown key (did you mean drain_timeout_ms?); valid are {SERVER_KEYS}",
        ),
        (
            "server: {hang_timeout_ms: 2999}",
            1,
            "server.hang_timeout_ms",
            "must be 0 or at least 3000",
        ),
        ("server: {allowed_hosts: sim}", 1, "server.allowed_hosts", f"{LIST}, not 'sim'"),
        ("server: {warm: gpt-4o}", 1, "server.warm", f"{LIST}, not 'gpt-4o'"),
        *(
            (
                f"server: {{allowed_hosts: ['{name}']}}",
                1,
                "server.allowed_hosts[0]",
                "must be a host name such as sim.example or *.sim.example, and no port",
            )
            for name in ("sim:80", "http://sim", "a b", "sim/x")
        ),
        (
            "server: {allowed_hosts: [sim, sim]}",
            1,
            "server.allowed_hosts[1]",
            "'sim' is listed twice",
        ),
        ("control: {enabled: 1}", 1, "control.enabled", "must be true or false, not 1"),
        ("server: {journal_mb: 0}", 1, "server.journal_mb", f"{WHOLE} 1 to 4096, not 0"),
        # latency
        (
            "latency: {profile: gtp5}",
            1,
            "latency.profile",
            f"must be {PROFILES}, not 'gtp5' (did you mean gpt-5?)",
        ),
        ("latency: {profile: }", 1, "latency.profile", f"must be {PROFILES}, not nothing"),
        (
            "latency: fast",
            1,
            "latency",
            f"must be a mapping with the keys {RULE_KEYS}, models, not 'fast'",
        ),
        (
            "latency: {distribution: empirical}",
            1,
            "latency.distribution",
            "must be normal, lognormal or gamma, not 'empirical'",
        ),
        ("latency: {profile: fast, ttft_mean_ms: -1}", 1, "latency.ttft_mean_ms", f"{MS}, not -1"),
        (
            "latency: {profile: fast, ttft_mean_ms: .inf}",
            1,
            "latency.ttft_mean_ms",
            f"{MS}, not .inf",
        ),
        (
            "latency: {profile: fast, tbt_mean_ms: .nan}",
            1,
            "latency.tbt_mean_ms",
            f"{MS}, not .nan",
        ),
        (
            "latency: {profile: fast, tbt_stddev_ms: no}",
            1,
            "latency.tbt_stddev_ms",
            f"{MS}, not no",
        ),
        (
            "latency: {profile: fast, itl_men_ms: 1}",
            1,
            "latency.itl_men_ms",
            f"unknown key (did you mean itl_mean_ms?); valid are {RULE_KEYS}, models",
        ),
        ("latency:\n  ttft_mean_ms: 5", 2, "latency.itl_mean_ms", MISSING_ITL),
        ("latency:\n  ttft_ms: 5", 2, "latency.itl_mean_ms", MISSING_ITL),
        ("latency:\n  tbt_mean_ms: 5", 2, "latency.ttft_mean_ms", MISSING_TTFT),
        ("latency:\n  itl_ms: 5", 2, "latency.ttft_mean_ms", MISSING_TTFT),
        (
            "latency: {profile: fast, itl_mean_ms: 1, tbt_mean_ms: 1}",
            1,
            "latency.tbt_mean_ms",
            "is another name of itl_mean_ms, which is set, too",
        ),
        (
            "latency:\n  profile: fast\n  itl_ms: 1\n  tbt_stddev_ms: 1",
            4,
            "latency.tbt_stddev_ms",
            "excludes itl_ms",
        ),
        (
            "latency: {profile: fast, ttft_overhead_ms: 1, ttft_ms: 1}",
            1,
            "latency.ttft_overhead_ms",
            "excludes ttft_ms",
        ),
        ("latency: {profile: fast, itl_ms: -1}", 1, "latency.itl_ms", f"{MILLIS}, not -1"),
        ("latency: {profile: fast, itl_ms: fast}", 1, "latency.itl_ms", f"{MILLIS}, not 'fast'"),
        (
            "latency: {profile: fast, itl_ms: {p50: 9, p95: 8}}",
            1,
            "latency.itl_ms.p95",
            "percentiles must not decrease: 8 comes after 9",
        ),
        (
            "latency: {profile: fast, itl_ms: {p50: 9}}",
            1,
            "latency.itl_ms.p50",
            "needs at least two of p50, p90, p95, p99",
        ),
        (
            "latency: {profile: fast, itl_ms: {p50: 9, p95: 10, mean: 9}}",
            1,
            "latency.itl_ms.mean",
            "excludes p50",
        ),
        (
            "latency: {profile: fast, itl_ms: {stddev: 1}}",
            1,
            "latency.itl_ms.mean",
            "is missing: set it, two percentiles, or quantiles",
        ),
        (
            "latency: {profile: fast, itl_ms: {distribution: empirical}}",
            1,
            "latency.itl_ms.quantiles",
            "is missing: an empirical distribution needs them",
        ),
        (
            "latency: {profile: fast, itl_ms: {quantiles: [1, 3, 2]}}",
            1,
            "latency.itl_ms.quantiles",
            "quantiles must not decrease: 2 comes after 3",
        ),
        (
            "latency: {profile: fast, itl_ms: {quantiles: [1, 2], distribution: gamma}}",
            1,
            "latency.itl_ms.quantiles",
            "gamma has none",
        ),
        (
            "latency: {profile: fast, itl_ms: {mean: 0, stddev: 2}}",
            1,
            "latency.itl_ms.mean",
            "a lognormal with a deviation needs a mean above 0",
        ),
        (
            "latency: {profile: fast, prefill_ms_per_token: -1}",
            1,
            "latency.prefill_ms_per_token",
            f"{MS}, not -1",
        ),
        (
            "latency: {distribution: lognormal, ttft_mean_ms: 0, ttft_stddev_ms: 1, "
            "tbt_mean_ms: 1}",
            1,
            "latency.distribution",
            LOGNORMAL,
        ),
        (
            "latency: {profile: auto, distribution: lognormal, tbt_stddev_ms: 1}",
            1,
            "latency.distribution",
            LOGNORMAL,
        ),
        (
            "models: {servers: {'a*': vlm}}",
            1,
            "models.servers.a*",
            "must be vllm, not 'vlm' (did you mean vllm?)",
        ),
        (
            "models: {servers: vllm}",
            1,
            "models.servers",
            "must be a mapping with model patterns as keys, not 'vllm'",
        ),
        (
            "latency: {models: [a]}",
            1,
            "latency.models",
            "must be a mapping with model patterns as keys, not a list",
        ),
        (
            "latency: {models: {'': {profile: fast}}}",
            1,
            "latency.models",
            "a model pattern must not be empty",
        ),
        (
            "latency: {models: {a: fast}}",
            1,
            "latency.models.a",
            f"must be a mapping with the keys {RULE_KEYS}, not 'fast'",
        ),
        (
            "latency:\n  models:\n    gpt-*:\n      tbt_mean_ms: 1",
            4,
            "latency.models.gpt-*.ttft_mean_ms",
            MISSING_TTFT,
        ),
        (
            "latency:\n  models:\n    a: {profile: fast}\n    a: {profile: fast}",
            4,
            "latency.models.a",
            "set twice, first on line 3",
        ),
        # response
        (
            "response: {generator: loren}",
            1,
            "response.generator",
            f"{GENERATOR}, not 'loren' (did you mean lorem?)",
        ),
        ("response: {generator: [lorem]}", 1, "response.generator", f"{GENERATOR}, not a list"),
        (
            "response: {generator: 'fixed:'}",
            1,
            "response.generator",
            "fixed: needs a text after it",
        ),
        (
            "response: {generator: fixed}",
            1,
            "response.generator",
            f"{GENERATOR}, not 'fixed' (did you mean fixed:TEXT?)",
        ),
        (
            "response: {generator: sequence}",
            1,
            "response.sequence",
            "is missing: the generator sequence needs a list of texts",
        ),
        (
            "response: {generator: sequence, sequence: []}",
            1,
            "response.sequence",
            f"{LIST}, not an empty list",
        ),
        (
            "response: {generator: sequence, sequence: hello}",
            1,
            "response.sequence",
            f"{LIST}, not 'hello'",
        ),
        (
            "response: {generator: sequence, sequence: [a, 4]}",
            1,
            "response.sequence[1]",
            'must be text, not 4 (quote it: "4")',
        ),
        (
            "response: {generator: sequence, sequence: [no]}",
            1,
            "response.sequence[0]",
            'must be text, not no (quote it: "no")',
        ),
        (
            "response: {generator: sequence, sequence: [~]}",
            1,
            "response.sequence[0]",
            "must be text, not nothing",
        ),
        (
            "response: {generator: sequence, sequence: ['']}",
            1,
            "response.sequence[0]",
            "must not be empty",
        ),
        (
            "response: {generator: echo, sequence: [a]}",
            1,
            "response.sequence",
            "only the generator sequence takes texts, not echo",
        ),
        (
            "response: {sequence: [a]}",
            1,
            "response.sequence",
            "only the generator sequence takes texts, not lorem",
        ),
        ("response: {target_tokens: 0}", 1, "response.target_tokens", f"{LENGTH}, not 0"),
        (
            "response: {target_tokens: 1.5}",
            1,
            "response.target_tokens",
            f"{LENGTH}, not 1.5",
        ),
        (
            "response: {target_tokens: {p50: 100, p95: 2000000}}",
            1,
            "response.target_tokens",
            "must be from 1 to 1000000",
        ),
        (
            "response: {target_tokens: {p50: 100, p95: 20}}",
            1,
            "response.target_tokens.p95",
            "percentiles must not decrease: 20 comes after 100",
        ),
        (
            "thinking: {may_starve: perhaps}",
            1,
            "thinking.may_starve",
            "must be true or false, not 'perhaps'",
        ),
        (
            "response: {target_tokens: 1000001}",
            1,
            "response.target_tokens",
            f"{LENGTH}, not 1000001",
        ),
        # errors
        ("errors: {server_error_rate: 1.1}", 1, "errors.server_error_rate", f"{RATE}, not 1.1"),
        ("errors: {server_error_rate: true}", 1, "errors.server_error_rate", f"{RATE}, not true"),
        # models
        ("models: {available: gpt-4}", 1, "models.available", f"{LIST}, not 'gpt-4'"),
        ("models: {available: []}", 1, "models.available", f"{LIST}, not an empty list"),
        ("models: {available: [a, a]}", 1, "models.available[1]", "'a' is listed twice"),
        (
            "models: {unknown: refuse}",
            1,
            "models.unknown",
            "must be accept or reject, not 'refuse'",
        ),
        ("validation: hard", 1, "validation", "must be lenient or strict, not 'hard'"),
        # seed
        ("seed: -1", 1, "seed", f"{SEED}, not -1"),
        ("seed: 9223372036854775808", 1, "seed", f"{SEED}, not 9223372036854775808"),
        ("seed: x", 1, "seed", f"{SEED}, not 'x'"),
    ],
)
def test_one_mistake(text: str, line: int, key: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    assert faults(text, path) == [ConfigFault(str(path), line, key, message)]


def test_all_mistakes_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
server:
  port: -1
  workers: true
latency:
  ttft_mean_ms: x
  models:
    gpt-*: {profile: none}
errors: {rate_limit_rate: 0.5, server_error_rate: 2}
extra: 1
seed: x
"""
    found = faults(text, tmp_path / "sim.yaml")
    assert [(fault.line, fault.key) for fault in found] == [
        (2, "server.port"),
        (3, "server.workers"),
        (5, "latency.ttft_mean_ms"),
        (5, "latency.itl_mean_ms"),
        (7, "latency.models.gpt-*.profile"),
        (8, "errors.server_error_rate"),
        (9, "extra"),
        (10, "seed"),
    ]


def test_a_check_over_two_keys_keeps_silent_where_one_of_them_is_faulty(tmp_path: Path) -> None:
    found = faults("response: {generator: x, sequence: [a]}", tmp_path / "sim.yaml")
    assert len(found) == 1
    assert found[0].key == "response.generator"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        # a check over several keys beside a key that is faulty, in one mapping and in its list
        (
            "errors: {rules: [{first: 1, every: 2, status: 9}, {kind: timeout, status: 503}]}",
            ["errors.rules[0].status", "errors.rules[0].every", "errors.rules[1].status"],
        ),
        (
            "mocks: [{name: x, response: a}, {name: x, response: b}, {name: y}, {respons: c}]",
            [
                "mocks[2].response",
                "mocks[3].respons",
                "mocks[3].response",
                "mocks[1].name",
            ],
        ),
        ("keys: [a, 5, a]", ["keys[1]", "keys[2]"]),
        (
            "latency: {models: {'': {profile: x}, '[key]': {profile: y}, c: {ttft_mean_ms: 1}}}",
            [
                "latency.models",
                "latency.models..profile",
                "latency.models.[key].profile",
                "latency.models.c.itl_mean_ms",
            ],
        ),
    ],
)
def test_what_is_right_is_checked_beside_what_is_wrong(
    text: str, keys: list[str], tmp_path: Path
) -> None:
    assert [fault.key for fault in faults(text, tmp_path / "sim.yaml")] == keys


def test_values_that_are_overridden_are_judged_for_themselves(tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text(
        "server: {port: y}\nlatency: {ttft_mean_ms: 5}\nresponse: {generator: sequence}"
    )
    flags = {"port": "1", "latency": "fast", "generator": "echo"}
    with pytest.raises(ConfigError) as caught:
        config.load(str(path), {"LLMSIM_PORT": "z"}, flags)
    found = [(fault.where, fault.line, fault.key) for fault in caught.value.faults]
    assert found == [
        (str(path), 1, "server.port"),
        (str(path), 2, "latency.itl_mean_ms"),
        ("LLMSIM_PORT", None, "server.port"),
    ]


def test_long_values_are_cut(tmp_path: Path) -> None:
    (found,) = faults("seed: " + "x" * 500, tmp_path / "sim.yaml")
    assert found.message.endswith("x...'")
    assert len(found.message) < 150


def test_aliases_cannot_blow_up(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    (found,) = faults("\n".join(lines), tmp_path / "sim.yaml")
    assert "more than 200000 values once aliases are expanded" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000 + "]" * 5000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        "- " * (DEEPEST + 1) + "a",
        "{a: " * 900 + "1" + "}" * 900,
        *(f"{'[' * n}1{']' * n}" for n in (999, 1000, 1001)),
    ],
)
def test_deep_nesting_is_a_fault(tmp_path: Path, text: str) -> None:
    (found,) = faults(text, tmp_path / "sim.yaml")
    assert found.message == "nested too deeply"


def test_a_long_text_that_is_no_yaml_is_a_fault_of_its_line(tmp_path: Path) -> None:
    """PyYAML itself would take long to say the same."""
    lines = [f"# {'x' * 70} é"] * (SHORT // 70)
    (found,) = faults("\n".join([*lines, "a: b: c"]), tmp_path / "sim.yaml")
    assert found.line == len(lines) + 1
    assert found.message.startswith("not valid YAML: mapping values are not allowed")
    (found,) = faults("\n".join([*lines, "a: \x07"]), tmp_path / "sim.yaml")
    assert found.line == len(lines) + 1
    assert found.message == "not valid YAML: control characters are not allowed"


def unreadable(path: Path, content: bytes | None, mode: str) -> str:
    if mode == "directory":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config.load(str(path), {}, {})
    (fault,) = caught.value.faults
    return str(fault).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (None, "missing", "cannot be read: No such file or directory"),
        (None, "directory", "cannot be read: Is a directory"),
        (b"seed: \xff", "file", "not a text file in UTF-8 (invalid start byte)"),
    ],
)
def test_unreadable_file(content: bytes | None, mode: str, expected: str, tmp_path: Path) -> None:
    assert unreadable(tmp_path / "sim.yaml", content, mode) == expected


def test_path_with_a_nul_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load("a\0b", {}, {})


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"port": "x"}, f"--port: server.port: {PORT}, not 'x'"),
        ({"port": -1}, f"--port: server.port: {PORT}, not '-1'"),
        ({"target_tokens": "-5"}, f"--target-tokens: response.target_tokens: {LENGTH}, not '-5'"),
        ({"latency": "quick"}, f"--latency: latency.profile: must be {PROFILES}, not 'quick'"),
        (
            {"generator": "sequence"},
            "--generator: response.sequence: is missing: "
            "the generator sequence needs a list of texts",
        ),
        ({"log_level": "loud"}, f"--log-level: server.log_level: {LEVEL}, not 'loud'"),
        ({"host": ""}, f"--host: server.host: {ADDRESS}, not ''"),
    ],
)
def test_mistaken_flags(flags: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(None, {}, flags)
    assert list(map(str, caught.value.faults)) == [expected]


VARIABLES = (
    "LLMSIM_HOST, LLMSIM_PORT, LLMSIM_WORKERS, LLMSIM_GENERATOR, LLMSIM_TARGET_TOKENS, "
    "LLMSIM_LATENCY, LLMSIM_SEED, LLMSIM_LOG_LEVEL, LLMSIM_TOKEN, LLMSIM_TLS, "
    "LLMSIM_REPLAY, LLMSIM_SPEED, LLMSIM_IDS, LLMSIM_ON_MISS, LLMSIM_CONFIG"
)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LLMSIM_PORT": "x"}, f"LLMSIM_PORT: server.port: {PORT}, not 'x'"),
        (
            {"LLMSIM_PRT": "1"},
            f"LLMSIM_PRT: unknown variable (did you mean LLMSIM_PORT?); valid are {VARIABLES}",
        ),
        (
            {"LLMSIM_SERVER_ZONE": "1"},
            f"LLMSIM_SERVER_ZONE: unknown variable; valid are {VARIABLES}",
        ),
        (
            {"LLMSIM_CONFIG": "/nowhere.yaml"},
            "/nowhere.yaml: cannot be read: No such file or directory",
        ),
    ],
)
def test_mistaken_variables(environ: dict[str, str], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(None, environ, {})
    assert list(map(str, caught.value.faults)) == [expected]


def test_faults_of_all_sources_come_together(tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("seed: x\nserver: {port: y}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(str(path), {"LLMSIM_WORKERS": "z"}, {"port": "8080", "host": "?"})
    where = [fault.where for fault in caught.value.faults]
    assert where == [str(path), str(path), "--host", "LLMSIM_WORKERS"]


def test_an_unknown_flag_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError):
        config.load(None, {}, {"prot": 1})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text("seed: 1", encoding="utf-8")
    path.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        config.load(str(path), {}, {})


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n"])
def test_a_server_that_runs_takes_no_empty_file(tmp_path: Path, text: str) -> None:
    """It is being written, most probably; all that was configured would be gone."""
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(str(path), {}, {}, reloading=True)
    (found,) = caught.value.faults
    assert str(found).startswith(f"{path}: is empty")
    assert config.load(str(path), {}, {}) == Config()


@pytest.mark.parametrize("text", ["{}", "~", "server:"])
def test_what_says_nothing_on_purpose_is_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    assert config.load(str(path), {}, {}, reloading=True) == Config()


def test_a_server_that_runs_takes_no_empty_file_of_mocks(tmp_path: Path) -> None:
    path, mocks = tmp_path / "sim.yaml", tmp_path / "mocks.yaml"
    path.write_text("mock_files: [mocks.yaml]", encoding="utf-8")
    mocks.touch()
    with pytest.raises(ConfigError) as caught:
        config.load(str(path), {}, {}, reloading=True)
    (found,) = caught.value.faults
    assert str(found).startswith(f"{mocks}: is empty")
