"""Failures, and exceptions that carry them."""

import pytest

from llmsim.core.errors import BadRequest, ConfigError, ConfigFault, Failure, FailureKind, invalid


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
