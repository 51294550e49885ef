"""``llmsim overhead``: what it refuses before it sends anything."""

import json

import pytest
from click.testing import CliRunner

from llmsim.cli import main
from llmsim.overhead.report import schema
from tests.serving import free_port

NEEDED = ("overhead", "--gateway", "http://127.0.0.1:1", "--model", "gpt-4o-mini")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--rate", "5", "--streams", "5"), "only one of"),
        (("--ramp", "9..3"), "LOW..HIGH"),
        (("--ramp", "x"), "LOW..HIGH"),
        (("--duration", "soon"), "30s, 5m"),
        (("--timeout", "0s"), "30s, 5m"),
        (("-H", "nonsense"), "NAME:VALUE"),
        (("--upstream", "ftp://x"), "neither http nor https"),
        (("--dialect", "cohere"), "openai_chat"),
        (("--rate", "0"), "--rate"),
    ],
)
def test_impossible_values_are_refused(args: tuple[str, ...], message: str) -> None:
    found = CliRunner().invoke(main, [*NEEDED, *args])
    assert found.exit_code == 2
    assert message in found.output


def test_an_upstream_that_is_not_there_is_said() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    found = CliRunner().invoke(main, [*NEEDED, "--upstream", url])
    assert found.exit_code == 1
    assert f"{url}: Connection refused" in found.output


def test_the_schema_is_printed() -> None:
    found = CliRunner().invoke(main, ["overhead", "--schema"])
    assert found.exit_code == 0
    assert json.loads(found.output) == schema()
