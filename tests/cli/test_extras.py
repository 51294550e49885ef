"""What llmsim does without its extras: the packages they bring cannot be imported here."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

BLOCKED = """
import sys
extras = (
    "textual", "rich", "PIL", "cryptography",
    "httpx", "httptools", "phonenumbers", "stdnum", "zstandard", "scipy",
)
for name in extras:
    sys.modules[name] = None
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process in which the extras are missing."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["'top'", "'serve', '--tui'"])
def test_the_dashboard_says_which_extra_it_needs(command: str) -> None:
    done = python(f"from llmsim.cli import main; main([{command}])")
    assert done.returncode == 1
    assert done.stderr == "Error: the dashboard is not installed: pip install 'llmsim[tui]'\n"


def test_a_self_signed_certificate_says_which_extra_it_needs() -> None:
    done = python("from llmsim.cli import main; main(['serve', '--tls', 'self-signed'])")
    assert done.returncode == 2
    assert "pip install 'llmsim[tls]'" in done.stderr


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("'record', '--upstream', 'openai=http://h', '--out', '{0}/new'", "record"),
        ("'anonymise', '{0}', '--out', '{0}/new'", "record"),
        ("'recordings', 'import', '{0}/a.jsonl', '--format', 'otel', '--out', '{0}/n'", "record"),
        ("'recordings', 'ls', '{0}'", "record"),
        ("'fit', '{0}'", "record,fit"),
        ("'replay', '{0}', '--target', 'http://127.0.0.1:1'", "record"),
        ("'serve', '--replay', '{0}'", "record"),
    ],
)
def test_recordings_say_which_extra_they_need(command: str, extra: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    (tmp_path / "b.jsonl.zst").touch()
    done = python(f"from llmsim.cli import main; main([{command.format(tmp_path)}])")
    assert done.returncode == 1
    assert done.stderr.endswith(f"pip install 'llmsim[{extra}]'\n")
    assert "Traceback" not in done.stderr


def test_all_else_can_be_imported() -> None:
    done = python("""
        import importlib, pkgutil, llmsim
        for module in pkgutil.walk_packages(llmsim.__path__, "llmsim."):
            extras = (
                "llmsim.tui.", "llmsim.server.tls.self_signed", "llmsim.proxy.",
                "llmsim.sending.", "llmsim.drift.", "llmsim.loadtest.", "llmsim.__main__"
            )
            if not module.name.startswith(extras):
                importlib.import_module(module.name)
    """)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_image_is_refused_and_a_prompts_image_has_its_size() -> None:
    done = python("""
        from llmsim.engine.compose import PlanInputs
        from llmsim.core import Canvas, Message, Paint, Request
        from llmsim.core.errors import BadRequest
        from llmsim.engine.tasks.images import paint
        from llmsim.providers.openai.provider import OPENAI
        from llmsim.core import Stamp
        from llmsim.providers.wire import attachments

        assert attachments.size("iVBORw0KGgoAAAANSUhEUgAAAUAAAADwCAYAAABxLb1r") == (320, 240)
        task = Paint(Canvas(0, 64, 32))
        request = Request("gpt-image-2", (Message("user", "an otter"),), task=task)
        try:
            paint(request, task, PlanInputs(7, 0, 3))
        except BadRequest as bad:
            status, body = OPENAI.errors.failure(bad.failure, Stamp("0" * 26, 0))
            print(status, body.decode())
    """)
    assert done.stderr == ""
    status, _, body = done.stdout.partition(" ")
    assert status == "501"
    assert '"error"' in body
    assert "pip install 'llmsim[images]'" in body
