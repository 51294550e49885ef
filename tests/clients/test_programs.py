"""Other people's clients against a live server that validates strictly: each program runs a tool
loop to its end, and what llmsim answered is sent back to it.

The clients live in environments of their own, which `tests/clients/install` makes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving import Server

HERE = Path(__file__).parent
ENVIRONMENT = Path(sys.prefix)
PYTHON = ENVIRONMENT / "clients/bin/python"
NODE = ENVIRONMENT / "node"
SECONDS = 240

THINKING = "thinking"
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
THINKING_PROGRAMS = [
    ("openai_agents_loop", "responses"),
    ("langchain_loop", "responses"),
    ("langchain_loop", "anthropic"),
    ("langchain_loop", "gemini"),
    ("litellm_loop", "anthropic"),
    ("litellm_loop", "deepseek"),
    ("litellm_loop", "gemini"),
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
    ("vercel_thinking", "responses"),
    ("vercel_thinking", "anthropic"),
    ("vercel_thinking", "gemini"),
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


@pytest.fixture(scope="module")
def strict(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL of a server that refuses what the providers refuse."""
    config = tmp_path_factory.mktemp("strict") / "llmsim.yaml"
    config.write_text("validation: strict\n")
    with serve("--workers", "2", "--latency", "fast", "--config", str(config)) as sim:
        yield sim.url


@pytest.mark.parametrize(
    ("program", "provider", "modes"),
    [
        *((program, provider, ()) for program, provider in PYTHON_PROGRAMS),
        *((program, provider, (THINKING,)) for program, provider in THINKING_PROGRAMS),
    ],
)
def test_python_clients(strict: str, program: str, provider: str, modes: tuple[str, ...]) -> None:
    if not (ENVIRONMENT / "clients/installed").exists():
        pytest.skip("the Python clients are not installed: run tests/clients/install")
    run([PYTHON, HERE / f"programs/{program}.py", provider, strict, *modes], HERE)


@pytest.mark.parametrize(("program", "provider"), NODE_PROGRAMS)
def test_node_clients(strict: str, program: str, provider: str | None) -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    if not (NODE / "installed").exists():
        pytest.skip("the Node clients are not installed: run tests/clients/install")
    # Node finds packages by the place of the program, not by the folder it runs in.
    shutil.copy(HERE / f"node/{program}.mjs", NODE)
    run(["node", f"{program}.mjs", *([provider] if provider else []), strict], NODE)
