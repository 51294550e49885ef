"""The examples of docs/failures.md are configurations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmsim.core.errors import FailureKind
from tests.cli.conftest import Run

TEXT = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("text", EXAMPLES)
def test_llmsim_check_takes_them(run: Run, text: str, tmp_path: Path) -> None:
    path = tmp_path / "sim.yaml"
    path.write_text(text, encoding="utf-8")
    result = run("check", str(path))
    assert result.exit_code == 0, result.stderr
    section = text.partition(":")[0]
    assert f"\n{section}:" in result.stdout


def test_every_kind_is_listed() -> None:
    listed = TEXT.partition("\nKinds: ")[2].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", listed) == [kind.value for kind in FailureKind]
