"""Other people's clients against a live server: each program runs a tool loop to its end.

The clients live in environments of their own, which `tests/clients/install` makes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ENVIRONMENT = Path(sys.prefix)
PYTHON = ENVIRONMENT / "clients/bin/python"
NODE = ENVIRONMENT / "node"
SECONDS = 240

PYTHON_PROGRAMS = [
    ("openai_agents_loop", "openai"),
    ("openai_agents_loop", "responses"),
    ("langchain_loop", "openai"),
    ("langchain_loop", "responses"),
    ("langchain_loop", "anthropic"),
    ("langchain_loop", "gemini"),
    ("litellm_loop", "openai"),
    ("litellm_loop", "anthropic"),
    ("litellm_loop", "gemini"),
    ("pydantic_ai_loop", "openai"),
    ("pydantic_ai_loop", "responses"),
    ("pydantic_ai_loop", "anthropic"),
    ("pydantic_ai_loop", "gemini"),
]
NODE_PROGRAMS = [
    ("openai_assistants", None),
    ("openai_loop", "openai"),
    ("openai_loop", "responses"),
    ("vercel_loop", "openai"),
    ("vercel_loop", "responses"),
    ("vercel_loop", "anthropic"),
    ("vercel_loop", "gemini"),
    ("anthropic_loop", None),
    ("google_loop", None),
]


def run(command: list[object], folder: Path) -> None:
    environment = {
        **os.environ,
        "NO_PROXY": "127.0.0.1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "AI_SDK_LOG_WARNINGS": "false",
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "ok"


@pytest.mark.parametrize(("program", "provider"), PYTHON_PROGRAMS)
def test_python_clients(server: str, program: str, provider: str) -> None:
    if not (ENVIRONMENT / "clients/installed").exists():
        pytest.skip("the Python clients are not installed: run tests/clients/install")
    run([PYTHON, HERE / f"programs/{program}.py", provider, server], HERE)


@pytest.mark.parametrize(("program", "provider"), NODE_PROGRAMS)
def test_node_clients(server: str, program: str, provider: str | None) -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    if not (NODE / "installed").exists():
        pytest.skip("the Node clients are not installed: run tests/clients/install")
    # Node finds packages by the place of the program, not by the folder it runs in.
    shutil.copy(HERE / f"node/{program}.mjs", NODE)
    run(["node", f"{program}.mjs", *([provider] if provider else []), server], NODE)
