"""Which source counts, what is read, and that what is written reads back to the same."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmsim import config
from llmsim.config import Config, Models, Response, Server, effective
from llmsim.config.document import MAX_NODES
from llmsim.config.settings import TLS, processors
from llmsim.config.sources import PATHS, variable
from llmsim.core.generator import GeneratorChoice
from llmsim.core.injection import ErrorInjection
from llmsim.core.latency import Latency, LatencyRule
from llmsim.core.mocks.on_miss import OnMissRules
from tests.effort import examples


def from_text(text: str, tmp_path: Path, **flags: object) -> Config:
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(str(path), {}, flags)


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "~", "server:\nerrors: {}\nlatency:\n  models:"]
)
def test_defaults(text: str, tmp_path: Path) -> None:
    assert from_text(text, tmp_path) == config.load(None, {}, {}) == Config()


def test_the_defaults_are_the_documented_ones() -> None:
    server = Config().server
    assert server == Server(
        host="0.0.0.0",
        port=8080,
        workers=processors(),
        log_level="info",
        max_body_bytes=33_554_432,
        max_connections=16_384,
        max_open_streams=20_000,
        drain_timeout=30.0,
        hang_timeout=30.0,
        max_keys=1_000_000,
        journal_mb=16,
    )
    assert server.workers >= 1
    assert Config().latency == Latency(LatencyRule(profile="auto"))
    assert Config().response == Response(GeneratorChoice("lorem"), 100)
    assert Config().models == Models(None, "accept")
    assert Config().errors == ErrorInjection()
    assert Config().timetable == ()
    assert Config().validation == "lenient"
    assert Config().seed is None


EVERYTHING = """\
server:
  host: localhost
  port: 9000
  workers: 3
  log_level: DEBUG
  max_body_bytes: 0x1000
  max_connections: 1_000
  max_open_streams: 10
  drain_timeout_ms: 1500.5
  stall_timeout_ms: 2500
  max_unsent_bytes: 100000
  body_timeout_ms: 5000
  header_timeout_ms: 700
  hang_timeout_ms: 4000
  max_keys: 5000
  max_header_bytes: 65536
  journal_mb: 8
  warm: [gpt-4o, 'claude-*']
  max_answer_bytes: 1048576
  compress: true
latency:
  profile: gpt5
  distribution: lognormal
  tbt_mean_ms: 1e1
  models:
    "gpt-4*": {profile: fast}
    "*": {ttft_mean_ms: 100, tbt_mean_ms: 5, tbt_stddev_ms: 0.25}
response:
  generator: sequence
  target_tokens: 7
  sequence: ["one", two, 2024-01-01]
errors: {rate_limit_rate: 0.0, server_error_rate: 0}
models:
  available: [gpt-4, mine]
  unknown: reject
validation: strict
seed: 42
"""


def test_every_key(tmp_path: Path) -> None:
    texts = ("one", "two", "2024-01-01")
    assert from_text(EVERYTHING, tmp_path) == Config(
        Server(
            *("127.0.0.1", 9000, 3, "debug", 4096, 1000, 10, 1.5005, 2.5, 4.0, 65536, 8),
            warm=("gpt-4o", "claude-*"),
            max_answer_bytes=2**20,
            max_keys=5000,
            compress=True,
            max_unsent_bytes=100_000,
            body_timeout=5.0,
            header_timeout=0.7,
        ),
        Latency(
            LatencyRule("gpt-5", itl_mean=0.01, distribution="lognormal"),
            (
                ("gpt-4*", LatencyRule("fast")),
                ("*", LatencyRule(None, ttft_mean=0.1, itl_mean=0.005, itl_stddev=0.00025)),
            ),
        ),
        Response(GeneratorChoice("sequence", texts), 7, texts),
        ErrorInjection(),
        models=Models(("gpt-4", "mine"), "reject"),
        validation="strict",
        seed=42,
    )


def test_the_example_of_the_documentation_reads(tmp_path: Path) -> None:
    text = """\
server: {port: 8080, host: "0.0.0.0", workers: 2}
latency: {profile: "gpt5"}
response: {generator: "lorem", target_tokens: 100}
errors: {rate_limit_rate: 0, server_error_rate: 0.25}
models: {available: [gpt-4o], unknown: accept}
"""
    read = from_text(text, tmp_path)
    assert read.latency.default.profile == "gpt-5"
    assert read.models.available == ("gpt-4o",)


def test_anchors_and_aliases_are_read(tmp_path: Path) -> None:
    text = "latency: {models: {a: &slow {profile: o-series}, b: *slow}}"
    rules = dict(from_text(text, tmp_path).latency.models)
    assert rules["a"] == rules["b"] == LatencyRule("o-series")


SOURCES = [
    # flag, in the file, value there, in the environment, on the command line, and the reader
    ("host", "server: {host: 10.0.0.1}", "10.0.0.2", "10.0.0.3"),
    ("port", "server: {port: 1}", "2", "3"),
    ("workers", "server: {workers: 1}", "2", "3"),
    ("log_level", "server: {log_level: debug}", "warning", "error"),
    ("generator", "response: {generator: echo}", "random", "fixed:hi"),
    ("target_tokens", "response: {target_tokens: 1}", "2", "3"),
    ("latency", "latency: {profile: fast}", "gpt-4", "instant"),
    ("seed", "seed: 1", "2", "3"),
    ("token", "control: {token: a}", "2", "3"),
    ("tls", "server: {tls: self-signed:/a}", "self-signed", "self-signed:c"),
    ("replay", "replay: {path: a}", "b", "c"),
    ("speed", "replay: {speed: 2}", "3", "4"),
    ("ids", "replay: {ids: keep}", "fresh", "keep"),
    ("on_miss", "on_miss: fail", "simulate", "fail"),
]
VALUES = {
    "host": ("0.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"),
    "port": (8080, 1, 2, 3),
    "workers": (processors(), 1, 2, 3),
    "log_level": ("info", "debug", "warning", "error"),
    "generator": (
        GeneratorChoice("lorem"),
        GeneratorChoice("echo"),
        GeneratorChoice("random"),
        GeneratorChoice("fixed", ("hi",)),
    ),
    "target_tokens": (100, 1, 2, 3),
    "latency": tuple(Latency(LatencyRule(name)) for name in ("auto", "fast", "gpt-4", "instant")),
    "seed": (None, 1, 2, 3),
    "token": (None, "a", "2", "3"),
    "tls": (None, *(TLS(self_signed=folder) for folder in ("/a", "", "c"))),
    "replay": (None, "a", "b", "c"),
    "speed": (1, 2, 3, 4),
    "ids": ("fresh", "keep", "fresh", "keep"),
    "on_miss": tuple(map(OnMissRules, ("simulate", "fail", "simulate", "fail"))),
}  # fmt: skip


def value_of(read: Config, flag: str) -> object:
    found: object = read
    for name in PATHS[flag]:
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("flagged", [False, True])
@pytest.mark.parametrize("variabled", [False, True])
@pytest.mark.parametrize("filed", [False, True])
@pytest.mark.parametrize(("flag", "in_file", "in_variable", "on_line"), SOURCES)
def test_precedence(
    flag: str,
    in_file: str,
    in_variable: str,
    on_line: str,
    filed: bool,
    variabled: bool,
    flagged: bool,
    tmp_path: Path,
) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text(in_file, encoding="utf-8")
    read = config.load(
        str(path) if filed else None,
        {variable(flag): in_variable if variabled else "", "OTHER": "x"},
        dict.fromkeys(PATHS) | {flag: on_line if flagged else None},
    )
    default, file, environment, line = VALUES[flag]
    expected = line if flagged else environment if variabled else file if filed else default
    assert value_of(read, flag) == expected


def test_the_tables_above_cover_every_flag() -> None:
    assert [row[0] for row in SOURCES] == sorted(VALUES, key=[row[0] for row in SOURCES].index)
    assert {row[0] for row in SOURCES} == set(PATHS)


def test_a_flag_changes_nothing_beside_its_key(tmp_path: Path) -> None:
    read = from_text("server: {port: 1, workers: 2}\nseed: 3", tmp_path, port="9")
    assert (read.server.port, read.server.workers, read.seed) == (9, 2, 3)


def test_flags_may_be_typed_values() -> None:
    assert config.load(None, {}, {"port": 99, "seed": 7}).server.port == 99


def test_a_section_set_to_nothing_takes_flags(tmp_path: Path) -> None:
    assert from_text("server:", tmp_path, port="9").server.port == 9


def test_config_file_from_the_environment_and_the_flag_over_it(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("seed: 1", encoding="utf-8")
    two.write_text("seed: 2", encoding="utf-8")
    assert config.load(None, {"LLMSIM_CONFIG": str(one)}, {}).seed == 1
    assert config.load(str(two), {"LLMSIM_CONFIG": str(one)}, {}).seed == 2


def test_the_latency_flag_replaces_the_whole_section(tmp_path: Path) -> None:
    read = from_text(EVERYTHING, tmp_path, latency="instant")
    assert read.latency == Latency(LatencyRule("instant"))


def test_a_generator_flag_drops_the_sequence_of_the_file(tmp_path: Path) -> None:
    read = from_text(EVERYTHING, tmp_path, generator="echo")
    assert read.response == Response(GeneratorChoice("echo"), 7)


def test_a_generator_flag_may_choose_the_sequence_of_the_file(tmp_path: Path) -> None:
    text = "response: {generator: sequence, sequence: [a]}"
    read = from_text(text, tmp_path, generator="sequence")
    assert read.response.generator == GeneratorChoice("sequence", ("a",))


@pytest.mark.parametrize(
    "environ",
    [
        {"LLMSIM_SERVICE_HOST": "10.0.0.1", "LLMSIM_SERVICE_PORT": "80"},
        {"LLMSIM_SERVICE_PORT_HTTP": "80"},
        {"LLMSIM_PORT": "tcp://10.0.0.1:80"},
        {
            "LLMSIM_PORT_8080_TCP": "tcp://10.0.0.1:8080",
            "LLMSIM_PORT_8080_TCP_PROTO": "tcp",
            "LLMSIM_PORT_8080_TCP_PORT": "8080",
            "LLMSIM_PORT_8080_TCP_ADDR": "10.0.0.1",
        },
        {"LLMSIM_METRICS_SERVICE_HOST": "10.0.0.1", "LLMSIM_METRICS_PORT": "tcp://10.0.0.1:80"},
    ],
)
def test_what_kubernetes_sets_for_a_service_named_llmsim_is_not_for_us(
    environ: dict[str, str],
) -> None:
    assert config.load(None, environ, {}) == Config()


# --- writing back -----------------------------------------------------------------------------

millis = st.one_of(
    st.integers(1, 100_000).map(float), st.floats(0.001, 1e6).map(lambda ms: round(ms, 6))
).map(lambda ms: float(repr(ms)))
text = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=12,
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, object]:
    names = ("ttft_mean_ms", "ttft_stddev_ms", "tbt_mean_ms", "tbt_stddev_ms")
    rule: dict[str, object] = {"profile": draw(st.sampled_from(("auto", "gpt5", "fast")))}
    if draw(st.booleans()):
        rule |= {name: draw(millis) for name in names}
        rule["distribution"] = draw(st.sampled_from(("normal", "lognormal")))
        if draw(st.booleans()):
            del rule["profile"]
    return rule


@st.composite
def files(draw: st.DrawFn) -> dict[str, object]:
    response: dict[str, object] = {"target_tokens": draw(st.integers(1, 1_000_000))}
    response["generator"] = draw(
        st.sampled_from(("lorem", "echo", "random", "sequence")) | text.map("fixed:".__add__)
    )
    if response["generator"] == "sequence":
        response["sequence"] = draw(st.lists(text, min_size=1, max_size=3))
    models: dict[str, object] = {"unknown": draw(st.sampled_from(("accept", "reject")))}
    if draw(st.booleans()):
        models["available"] = draw(st.lists(text, min_size=1, max_size=3, unique=True))
    patterns = draw(st.dictionaries(text, rules(), max_size=3))
    return {
        "server": {"port": draw(st.integers(1, 65535)), "drain_timeout_ms": draw(millis)},
        "latency": draw(rules()) | {"models": patterns},
        "response": response,
        "models": models,
        "validation": draw(st.sampled_from(("lenient", "strict"))),
        "seed": draw(st.none() | st.integers(0, 2**63 - 1)),
    }


@settings(max_examples=examples(80))
@given(file=files())
def test_round_trip(file: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp_path = tmp_path_factory.getbasetemp()
    read = from_text(yaml.safe_dump(file, sort_keys=False), tmp_path)
    written = yaml.safe_dump(config.effective(read), sort_keys=False, allow_unicode=True)
    assert from_text(written, tmp_path) == read
    assert pickle.loads(pickle.dumps(read)) == read


@pytest.mark.parametrize("text", ["", EVERYTHING])
def test_effective_reads_back_to_the_same(text: str, tmp_path: Path) -> None:
    read = from_text(text, tmp_path)
    again = from_text(yaml.safe_dump(config.effective(read), sort_keys=False), tmp_path)
    assert again == read


def test_effective_is_in_the_units_and_names_of_the_file(tmp_path: Path) -> None:
    told = config.effective(from_text(EVERYTHING, tmp_path))
    expected = {
        "server": {
            "host": "127.0.0.1",
            "port": 9000,
            "workers": 3,
            "log_level": "debug",
            "max_body_bytes": 4096,
            "max_connections": 1000,
            "max_open_streams": 10,
            "drain_timeout_ms": 1500.5,
            "stall_timeout_ms": 2500,
            "max_unsent_bytes": 100_000,
            "body_timeout_ms": 5000,
            "header_timeout_ms": 700,
            "hang_timeout_ms": 4000,
            "max_header_bytes": 65536,
            "journal_mb": 8,
            "warm": ["gpt-4o", "claude-*"],
            "max_answer_bytes": 1048576,
            "max_keys": 5000,
            "compress": True,
        },
        "latency": {
            "profile": "gpt-5",
            "itl_mean_ms": 10,
            "distribution": "lognormal",
            "models": {
                "gpt-4*": {"profile": "fast"},
                "*": {
                    "ttft_mean_ms": 100,
                    "itl_mean_ms": 5,
                    "itl_stddev_ms": 0.25,
                },
            },
        },
        "response": {
            "generator": "sequence",
            "target_tokens": 7,
            "sequence": ["one", "two", "2024-01-01"],
            "tools": {"call_rate": 1},
            "refusal_rate": 0,
            "refusal": "I'm sorry, but I can't assist with that request.",
        },
        "errors": {
            "rate_limit_rate": 0,
            "server_error_rate": 0,
            "timeout_rate": 0,
            "timeout_after_ms": 30000,
            "overloaded_rate": 0,
            "bad_gateway_rate": 0,
            "authentication_rate": 0,
            "retry_after_ms": 1000,
            "faults": {},
        },
        "models": {"available": ["gpt-4", "mine"], "unknown": "reject"},
        "validation": "strict",
        "seed": 42,
    }
    assert {section: told[section] for section in expected} == expected


def test_config_crosses_to_another_process(tmp_path: Path) -> None:
    read = from_text(EVERYTHING, tmp_path)
    assert pickle.loads(pickle.dumps(read)) == read


def test_what_pyyaml_reads_and_libyaml_does_not(tmp_path: Path) -> None:
    assert from_text("%FOO bar\n---\nseed: 7", tmp_path).seed == 7


def test_a_file_may_have_as_many_values_as_it_writes_down(tmp_path: Path) -> None:
    """Only what aliases make of a few is bounded; and nothing is compared with everything."""
    names = [f"model-{number}" for number in range(MAX_NODES + 1)]
    text = f"models: {{available: [{', '.join(names)}]}}"
    assert from_text(text, tmp_path).models.available == tuple(names)


def test_no_garbage_is_collected_while_a_configuration_is_read(tmp_path: Path) -> None:
    """It would take most of the time: all that is read stays until it is done with."""
    names = ", ".join(f"model-{number}" for number in range(5000))
    phases: list[str] = []

    def watch(phase: str, info: dict[str, int]) -> None:
        phases.append(phase)

    gc.callbacks.append(watch)
    try:
        read = from_text(f"models: {{available: [{names}]}}", tmp_path)
        effective(read)
    finally:
        gc.callbacks.remove(watch)
    # Some may be done between and after the two.
    assert len(phases) <= 4
    assert gc.isenabled()
