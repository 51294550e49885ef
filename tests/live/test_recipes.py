"""The recipes for other tools, in examples/testing, as far as those are installed."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.live.test_plugin import PLUGIN, ROOT

FOLDER = ROOT / "examples/testing"
NEEDS = {
    "test_unittest.py": "openai",
    "test_asyncio.py": "pytest_asyncio",
    "test_langchain.py": "langchain_openai",
    "test_pydantic_ai.py": "pydantic_ai",
    "test_openai_agents.py": "agents",
}


def environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return kept | {"PYTHONPATH": str(ROOT)}


def test_each_is_run_here() -> None:
    assert {one.name for one in FOLDER.glob("test_*.py")} == NEEDS.keys()


@pytest.mark.parametrize("name", NEEDS)
def test_a_recipe_in_python(name: str) -> None:
    if find_spec(NEEDS[name]) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN]
    ended = subprocess.run(
        [*command, "--rootdir", str(FOLDER), "-c", os.devnull, str(FOLDER / name)],
        cwd=FOLDER, env=environ(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_recipe_in_node(tmp_path: Path) -> None:
    program = tmp_path / "llmsim"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m llmsim "$@"\n')
    program.chmod(0o755)
    ended = subprocess.run(
        ["node", "--test", str(FOLDER / "llmsim.test.mjs")],
        env=environ() | {"LLMSIM": str(program)}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
