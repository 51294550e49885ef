"""The recipes for other tools, in examples/testing, each where its tool is installed: here, or in
the environment that `tests/clients/install` makes.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.live.test_plugin import PLUGIN, ROOT

FOLDER = ROOT / "examples/testing"
RECIPES = Path(sys.prefix) / "recipes"
NEEDS = {
    "test_unittest.py": "openai",
    "test_asyncio.py": "pytest_asyncio",
    "test_langchain.py": "langchain_openai",
    "test_pydantic_ai.py": "pydantic_ai",
    "test_openai_agents.py": "agents",
    "test_testcontainers.py": "testcontainers",
}


def environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return kept | {"PYTHONPATH": str(ROOT)}


def test_each_is_run_here() -> None:
    assert {one.name for one in FOLDER.glob("test_*.py")} == NEEDS.keys()


def python_with(package: str) -> list[str]:
    """A Python that has it, as it runs pytest with the plugin. Skips where there is none."""
    if find_spec(package) is not None:
        return [sys.executable, "-m", "pytest", *PLUGIN]
    if (RECIPES / "installed").exists():
        return [str(RECIPES / "bin/python"), "-m", "pytest", "-p", "llmsim.testing.plugin"]
    pytest.skip(f"{package} is not installed: run tests/clients/install")


def run(name: str, *args: str) -> str:
    command = [*python_with(NEEDS[name]), "-rs", "-q", "-p", "no:cacheprovider", *args]
    ended = subprocess.run(
        [*command, "--rootdir", str(FOLDER), "-c", os.devnull, str(FOLDER / name)],
        cwd=FOLDER, env=environ(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", NEEDS)
def test_a_recipe_in_python(name: str) -> None:
    said = run(name)
    if "Docker does not run here" in said:
        pytest.skip("Docker does not run here")
    assert " skipped" not in said


def test_the_recipe_for_testcontainers_without_docker() -> None:
    """All of it but Docker: a server of its own takes the container's place."""
    said = run("test_testcontainers.py", "-p", "tests.clients.docker_without_containers")
    assert "1 passed" in said


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
