"""docs/assistants.md: its example prints what it says; so does the example file something."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/assistants.md").read_text("utf-8")
HERE = "http://localhost:8080"


def printed(program: str, server: str) -> str:
    """What a program prints that talks to that server instead."""
    assert HERE in program
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program.replace(HERE, server)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_prints_what_it_says(server: str) -> None:
    program, expected = re.findall(r"```(?:python|text)\n(.*?)```", PAGE, re.DOTALL)
    assert printed(program, server) == expected


def test_the_example_calls_its_tool(server: str) -> None:
    lines = printed((ROOT / "examples/openai_assistant.py").read_text("utf-8"), server).splitlines()
    assert lines[0] == "requires_action"
    assert re.fullmatch(r"completed \d+", lines[1])
    assert lines[2:] == [
        "user: What is the weather in Oslo?",
        "assistant: get_weather returned: sunny",
    ]
