"""The documentation names files, headings, commands and types that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Group

from llmsim.cli import main

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "loadtests/README.md"]
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
EXAMPLES = {
    "llmsim/engine/faults/repeat.py",
    "llmsim/providers/acme/codec.py",
    "llmsim/providers/acme/provider.py",
}
"""Files that CONTRIBUTING.md adds."""


def anchors(page: Path) -> set[str]:
    """What a link to one of the page's headings ends in, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not link.startswith("http"):
            path, _, anchor = link.partition("#")
            target = (page.parent / path) if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_modules_that_are_named_exist(page: Path) -> None:
    """By their path from the root or from ``llmsim``."""
    for name in re.findall(r"`([\w/.]+/[\w.]+\.py)", page.read_text("utf-8")):
        places = [place / name for place in (ROOT, ROOT / "llmsim")]
        assert name in EXAMPLES or any(place.exists() for place in places), name


def test_types_that_the_design_names_exist() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "llmsim").rglob("*.py"))
    text = (ROOT / "docs/design.md").read_text("utf-8")
    names = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)[`.]", text))
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"^class {name}\b", sources, re.M)] == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_that_are_shown_exist(page: Path) -> None:
    code = re.findall(r"```.*?```|`[^`]+`", page.read_text("utf-8"), re.DOTALL)
    shown = re.compile(r"^`?llmsim ([a-z-]+) ?([a-z-]*)", re.MULTILINE)
    for name, rest in shown.findall("\n".join(code)):
        command = main.commands[name]
        assert not isinstance(command, Group) or not rest or rest in command.commands, rest


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 150


def test_the_index_of_the_documentation_names_every_page() -> None:
    assert "docs/index.md" in (ROOT / "README.md").read_text("utf-8")
    index = (ROOT / "docs/index.md").read_text("utf-8")
    pages = [page.removeprefix("docs/") for page in IDS if page.startswith("docs/")]
    assert [page for page in pages if page != "index.md" and f"]({page})" not in index] == []
