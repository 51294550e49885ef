"""What CONTRIBUTING.md shows works: its blocks are put into a copy of the tree and run there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def named(block: str) -> tuple[str, str]:
    """The path in a block's first line, and the rest."""
    first, _, rest = block.partition("\n")
    return first.removeprefix("# "), rest


@pytest.mark.parametrize(
    ("path", "text"), [named(block) for block in blocks(section("Style"), "python")]
)
def test_style_is_shown_by_real_code(path: str, text: str) -> None:
    assert text in (ROOT / path).read_text("utf-8")


def copy_with(title: str, tree: Path) -> None:
    """A copy of the tree in which the section's new files are written and its diffs applied."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "golden")
    for folder in ("llmsim", "tests"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tree)
    for path, text in map(named, blocks(section(title), "python")):
        assert not (ROOT / path).exists()
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text(text, "utf-8")
    for diff in blocks(section(title), "diff"):
        for part in diff.split("--- ")[1:]:
            path, *hunks = part.split("@@\n")
            file = tree / path.strip()
            for hunk in hunks:
                lines = hunk.splitlines(keepends=True)
                before = "".join(line[1:] for line in lines if line[0] != "+")
                after = "".join(line[1:] for line in lines if line[0] != "-")
                text = file.read_text("utf-8")
                assert text.count(before) == 1, f"{path.strip()} has not, or not once:\n{before}"
                file.write_text(text.replace(before, after), "utf-8")


def run(tree: Path, *args: str, stdin: str = "") -> str:
    environ = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *args],
        cwd=tree,
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def planned(tree: Path, body: dict[str, object], *args: str) -> list[str]:
    """The frames of the answer to a request."""
    made = run(tree, "-m", "llmsim", "plan", "--json", *args, stdin=json.dumps(body))
    return [frame["frame"] for frame in json.loads(made)["frames"]]


def test_write_a_fault(tmp_path: Path) -> None:
    copy_with("Write a fault", tmp_path)
    test = "tests/engine/faults/test_repeat.py"
    run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:cov", test)
    message = {"role": "user", "content": "Hi"}
    body = {"model": "gpt-4o", "messages": [message], "stream": True, "seed": 1, "max_tokens": 5}
    whole = planned(tmp_path, body)
    frames = planned(tmp_path, body, "-H", "x-llmsim-fault: repeat; after=2")
    twice = [index for index in range(len(whole)) if frames[index] != whole[index]]
    assert len(frames) == len(whole) + 1
    assert frames[twice[0]] == frames[twice[0] - 1]
    (tmp_path / "llmsim.yaml").write_text("errors: {faults: {repeat: {rate: 0.1}}}")
    assert "repeat" in run(tmp_path, "-m", "llmsim", "check", "llmsim.yaml")
    check_style(tmp_path, "llmsim/core", "llmsim/engine", "llmsim/config", test)


SERVED = """
from tests.server.test_added_provider import served

BODY = {"model": "acme-1", "prompt": "Hi", "max_tokens": 5}

async def scene(client, shared):
    plain = await client.post("/acme/v1/chat", json=BODY)
    stream = await client.post("/acme/v1/chat", json={**BODY, "stream": True})
    return plain, stream, await client.post("/acme/v1/chat", json={})

plain, stream, wrong = served(scene)
assert plain.status_code == 200 and plain.json()["text"], plain.text
assert stream.headers["content-type"].startswith("text/event-stream")
*pieces, done, end = stream.text.split("\\n\\n")
assert len(pieces) == 5 and (done, end) == ("data: [DONE]", ""), stream.text
assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid"), wrong.text
"""


def test_add_a_provider(tmp_path: Path) -> None:
    copy_with("Add a provider", tmp_path)
    run(tmp_path, "-c", SERVED)
    body: dict[str, object] = {"model": "acme-1", "prompt": "Hi", "max_tokens": 5}
    (frame,) = planned(tmp_path, body, "--dialect", "acme_chat")
    assert json.loads(frame)["text"]
    check_style(tmp_path, "llmsim/providers")


def check_style(tree: Path, *paths: str) -> None:
    run(tree, "-m", "ruff", "check", *paths)
    run(tree, "-m", "ruff", "format", "--check", *paths)
