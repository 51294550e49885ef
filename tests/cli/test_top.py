"""``llmsim top`` as far as it needs no terminal; tests/live/test_terminal.py does the rest."""

from __future__ import annotations

from importlib import import_module

import pytest

from llmsim.server.attached.ready_file import local_url
from tests.cli.conftest import Run


@pytest.mark.parametrize("args", [("top",), ("serve", "--tui")])
def test_wants_a_terminal(run: Run, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "needs a terminal" in result.stderr


def test_a_mistaken_url(run: Run) -> None:
    result = run("top", "ftp://host")
    assert result.exit_code == 2
    assert "Invalid value for URL: ftp: is neither http nor https" in result.stderr


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("10.0.0.7", "http://10.0.0.7:80"),
        ("fe80::1", "http://[fe80::1]:80"),
    ],
)
def test_where_a_server_is_local_url(host: str, url: str) -> None:
    assert local_url(host, 80) == url
    assert local_url(host, 80, tls=True) == url.replace("http", "https")


def test_an_interrupt_before_the_first_drawing_ends_well(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = pytest.importorskip("llmsim.tui.app")

    def interrupted(self: object) -> None:
        raise KeyboardInterrupt

    # By its name alone, the module's is the command's.
    monkeypatch.setattr(import_module("llmsim.cli.top"), "terminal", lambda: True)
    monkeypatch.setattr(app.Dashboard, "run", interrupted)
    result = run("top")
    assert (result.exit_code, result.output) == (0, "")
