"""Hints at what a misspelt name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, names: Iterable[str], prefix: str = "") -> str:
    """A hint at the valid name that is most like this one, or nothing.

    ``prefix`` is what all names begin with, and says nothing about how alike they are.
    """
    spelled = {valid.lower(): valid for valid in names}
    close = get_close_matches(name.lower(), spelled, n=1)
    return f" (did you mean {prefix}{spelled[close[0]]}?)" if close else ""
