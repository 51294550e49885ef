"""The page of ``llmsim overhead --html`` in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmsim.overhead.figures import Percentiles
from llmsim.overhead.page import page
from llmsim.overhead.report import Ramp, RampStep
from tests.overhead.test_report import report, side
from tests.web.visit import PHONE, Scheme, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDE = (1440, 900)
OUTSIDE = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const own = text.getBoundingClientRect();
    return own.left < box.left - 1 || own.right > box.right + 1 || own.bottom > box.bottom + 1;
  }).map(text => text.textContent);
})"""
"""Texts of charts that are cut off."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report with all that there can be, long names among it."""
    some = Percentiles(1.0, 2.0, 3.0)
    steps = [
        RampStep(10.0 * at, 9.9 * at, 10.0 * at, 0, 0, some, some, report().box, at < 3, True)
        for at in (1, 2, 3)
    ]
    found = report(
        gateway="https://gateway.with-a-long-name.internal.example:8443/openai/v1/and/more",
        ramp=Ramp(steps, 20.0, 30.0),
    )
    file = tmp_path_factory.mktemp("overhead") / "cost.html"
    file.write_text(page(found, side(0.006), side(0.001)), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_report(
    browser: Browser, url: str, size: tuple[int, int], scheme: Scheme
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    visit = Visit(browser, url, size, scheme)
    visit.page.goto(url)
    assert visit.page.locator("svg").count() == 9
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert visit.page.evaluate(OUTSIDE) == []
    assert "5.000 (5.00…5.00)" in visit.page.inner_text("table.times >> nth=0")
    assert "no" in visit.page.inner_text("table.times >> nth=1")
    found = axe.run(visit.page)
    assert found.violations_count == 0, found.generate_report()
    assert visit.asked == [url], "it needs nothing else"
    assert visit.complaints == []
    visit.close()


def test_the_file_is_short(url: str) -> None:
    assert Path(url.removeprefix("file://")).stat().st_size < 200_000
