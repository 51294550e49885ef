"""Checking never goes outside, and never takes long."""

import pytest

from llmsim.engine.schema.impossible import ImpossibleSchema
from llmsim.engine.schema.verify import Check, Verifier


def test_formats_are_asserted() -> None:
    accepts = Verifier({"format": "email"}).accepts
    assert accepts("ada@example.com")
    assert not accepts("ada")


def test_nothing_is_fetched() -> None:
    with pytest.raises(ValueError, match=r"http://127\.0\.0\.1:9/schema"):
        Verifier({"$ref": "http://127.0.0.1:9/schema"})


def test_check_is_put_together_when_first_asked() -> None:
    built = []
    check = Check(lambda: built.append(1) or {"type": "null"})  # type: ignore[func-returns-value]
    assert not built
    assert check(None)
    assert not check(0)
    assert built == [1]


def test_check_refuses_what_the_verifier_will_not_have() -> None:
    with pytest.raises(ImpossibleSchema, match="cannot be checked"):
        Check(lambda: {"type": "nothing"})(1)
