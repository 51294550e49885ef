"""docs/compatibility.md is what the code says."""

from importlib.metadata import version

import pytest

from tests.sdk.compatibility import DOCUMENT, SDKS, made


def test_the_tables_are_up_to_date() -> None:
    document = DOCUMENT.read_text("utf-8")
    for package, _ in SDKS.values():
        if f"SDK: `{package}` {version(package)}." not in document:
            pytest.skip(f"made from another {package} than {version(package)}")
    assert made(document) == document, "run: python -m tests.sdk.compatibility"


def test_the_calls_of_each_sdk_are_found() -> None:
    found = {name: len(calls) for name, (_, calls) in SDKS.items()}
    assert found["OpenAI"] > 150
    assert found["Anthropic"] > 20
    assert found["Gemini"] > 10
