"""A browser, and a server whose dashboard it looks at. Skips where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.serving import Server
from tests.web.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: while it is open, no other event loop can run in this thread."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as tools:
        # Containers often have no user namespaces for Chromium's own sandbox.
        opened = tools.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def sim(serve: Callable[..., Server]) -> Iterator[Server]:
    with serve("--workers", "2", "--latency", "fast") as server:
        yield server


@pytest.fixture
def visit(browser: Browser, sim: Server) -> Iterator[Visit]:
    """The dashboard, open and live; in the end nothing may have gone wrong in the browser."""
    made = Visit(browser, sim.url)
    made.open()
    yield made
    made.close()
    assert made.complaints == []
    assert made.elsewhere() == []
