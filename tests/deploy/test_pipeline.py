"""The scripts and configurations that run the checks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPTS = [
    ROOT / "tests/run",
    ROOT / "tests/coverage",
    ROOT / "tests/compiled",
    ROOT / "deploy/serve",
    ROOT / "tests/clients/install",
    ROOT / ".ci/run",
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_are_sound(script: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([shellcheck, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_run_names_what_is_missing() -> None:
    """Without a recent Python: before anything is installed, and with exit code 1."""
    done = subprocess.run(
        ["bash", ROOT / "tests/run"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": "/no/python", "VENV": "/no/venv"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "tests/run: no Python >= 3.11 found at /no/python; name one with PYTHON=…\n"
    )


@pytest.mark.parametrize(
    ("module", "args"),
    [
        (
            "check_jsonschema",
            ["--builtin-schema", "vendor.github-workflows", ".github/workflows/ci.yml"],
        ),
        ("pre_commit", ["validate-config", ".pre-commit-config.yaml"]),
        (
            "check_jsonschema",
            [
                "--builtin-schema",
                "vendor.github-issue-forms",
                ".github/ISSUE_TEMPLATE/bug.yml",
                ".github/ISSUE_TEMPLATE/idea.yml",
            ],
        ),
    ],
)
def test_configuration_is_valid(module: str, args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *args], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_are_stages_of_the_test_run() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    tools = {re.sub(r"\.venv/bin/| --force-exclude", "", hook["entry"]) for hook in local["hooks"]}
    stages = (ROOT / "tests/run").read_text().replace('"$VENV/bin/ruff"', "ruff")
    assert tools == {"ruff check", "ruff format", "mypy"}
    for stage in ("&& ruff check .", "&& ruff format --check .", '&& "$VENV/bin/mypy"'):
        assert stage in stages


def test_workflows_are_safe() -> None:
    """Actions by their hash, no credentials left behind, nothing of a request in a command."""
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    if zizmor is None:
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [zizmor, "--offline", "--quiet", ".github/workflows", "action.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
