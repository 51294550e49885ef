"""The examples of docs/mocks.md, and the example file, are configurations."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from llmsim.cli import main

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/mocks.md").read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", [*BLOCKS, (ROOT / "examples/mocks.yaml").read_text("utf-8")])
def test_an_example_is_a_configuration(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "mocks"
    folder.mkdir()
    for name in ("weather.yaml", "agents.json"):
        (folder / name).write_text("[]")
    file = tmp_path / "llmsim.yaml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 0, result.output


def test_there_are_examples() -> None:
    assert len(BLOCKS) >= 6
