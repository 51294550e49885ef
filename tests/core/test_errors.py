"""Failures: every dialect can spell every kind."""

import importlib
import pkgutil
from typing import Any

import pytest

from llmsim import providers
from llmsim.core.errors import BadRequest, ConfigError, ConfigFault, Failure, FailureKind, invalid


def tables() -> dict[str, dict[FailureKind, tuple[Any, ...]]]:
    """The table of each provider, by the name of its module."""
    modules = [
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(providers.__path__, f"{providers.__name__}.")
        if info.name.endswith(".errors")
    ]
    return {
        module.__name__: module.__dict__["SPELLING"]
        for module in modules
        if "SPELLING" in module.__dict__
    }


TABLES = tables()


def test_there_are_tables() -> None:
    assert "llmsim.providers.openai.errors" in TABLES


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_is_spelled(name: str) -> None:
    assert set(TABLES[name]) == set(FailureKind)


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_is_an_error_on_the_wire(name: str) -> None:
    for kind, (status, *words) in TABLES[name].items():
        assert status in range(400, 600), kind
        assert words[0], kind


@pytest.mark.parametrize("name", TABLES)
def test_whose_fault_it_is_shows_in_the_status(name: str) -> None:
    ours = {
        FailureKind.SERVER_ERROR,
        FailureKind.BAD_GATEWAY,
        FailureKind.UNAVAILABLE,
        FailureKind.TIMEOUT,
        FailureKind.OVERLOADED,
    }
    assert {kind for kind, (status, *_) in TABLES[name].items() if status >= 500} == ours


def test_invalid_names_the_field() -> None:
    error = invalid("wrong", "messages[0].content", "invalid_type")
    assert isinstance(error, BadRequest)
    assert str(error) == "wrong"
    assert error.failure == Failure(
        FailureKind.INVALID, "wrong", "messages[0].content", "invalid_type"
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ConfigFault("llmsim.yaml", 3, "server.port", "no"), "llmsim.yaml:3: server.port: no"),
        (ConfigFault("--port", None, "", "no"), "--port: no"),
        (ConfigFault("LLMSIM_PORT", None, "server.port", "no"), "LLMSIM_PORT: server.port: no"),
    ],
)
def test_a_fault_says_where(fault: ConfigFault, said: str) -> None:
    assert str(fault) == said


def test_a_config_error_says_every_fault() -> None:
    faults = [ConfigFault("a.yaml", 1, "x", "one"), ConfigFault("a.yaml", 2, "y", "two")]
    error = ConfigError(faults)
    assert error.faults == tuple(faults)
    assert str(error) == "a.yaml:1: x: one\na.yaml:2: y: two"
