"""The pictures of docs/latency.md are those that the command draws."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.pictures import PICTURES, draw

IMAGES = Path(__file__).parents[2] / "docs/images"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_up_to_date(name: str) -> None:
    """Else: python -m bench pictures"""
    drawn = PICTURES[name]()
    assert drawn == PICTURES[name]()
    assert (IMAGES / name).read_text(encoding="utf-8") == drawn
    assert len(drawn) < 20_000
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"


def test_all_are_written(tmp_path: Path) -> None:
    assert {path.name for path in draw(tmp_path)} == set(PICTURES)
