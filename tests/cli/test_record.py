"""The flags of ``llmsim record``."""

from pathlib import Path

import pytest

from llmsim.config.settings import RecordSettings
from llmsim.proxy import launch
from tests.cli.conftest import Run

UPSTREAM = ("--upstream", "openai=https://api.openai.com")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), None),
        (("--max-size", "500M"), 500 * 2**20),
        (("--max-size", "2g"), 2 * 2**30),
        (("--max-size", "7"), 7),
    ],
)
def test_sizes(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[str, ...],
    expected: int | None,
) -> None:
    asked: list[RecordSettings] = []
    monkeypatch.setattr(launch, "proxy", lambda settings, kept, *where: asked.append(kept))
    assert run("record", *UPSTREAM, "--out", str(tmp_path), *flags).exit_code == 0
    assert (asked[0].max_bytes, asked[0].anonymise) == (expected, "standard")


def test_nothing_need_be_anonymised(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RecordSettings] = []
    monkeypatch.setattr(launch, "proxy", lambda settings, kept, *where: asked.append(kept))
    run("record", *UPSTREAM, "--out", str(tmp_path), "--anonymise", "off")
    assert asked[0].anonymise == "off"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--max-size", "2T"), "2T is no size"),
        (("--upstream", "x=http://h"), "must be PROVIDER=URL"),
        (UPSTREAM, "another upstream already"),
        (("--allow", "10.0.0.0/99"), "no host, address or network"),
    ],
)
def test_mistakes_are_one_line(
    run: Run, tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    result = run("record", *UPSTREAM, "--out", str(tmp_path), *flags)
    assert result.exit_code == 2
    assert message in result.output
