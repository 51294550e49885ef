"""Scopes: parts of a server that do not see each other.

A request is in the scope that its header names, or else the prefix of its path, or else, where
that is switched on, its API key. Within a scope the configuration may be another, and everything
that is counted begins at nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SCOPE_HEADER: Final = "x-llmsim-scope"
SCOPE_PATH: Final = "/scope/"

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class ScopeSettings:
    """``max`` scopes are remembered, the one that was not used for longest is forgotten. With
    ``by_key`` an API key is the name of a scope, too."""

    max: int = 1000
    by_key: bool = False


def is_scope_name(text: str) -> bool:
    """Whether a scope can have that name."""
    return _NAME.fullmatch(text) is not None


def split_path(path: str) -> tuple[str, str]:
    """The scope that a path begins with, and the path within it; an empty scope and the path where
    it does not."""
    name, slash, rest = path.removeprefix(SCOPE_PATH).partition("/")
    if not path.startswith(SCOPE_PATH) or not is_scope_name(name):
        return "", path
    return name, slash + rest if slash else "/"


def label(name: str, epoch: int) -> str:
    """What the journal has of a scope: its name, and which beginning of it."""
    return f"{name}@{epoch}"


def name_of(label: str) -> str:
    """The name of the scope with that label."""
    return label.partition("@")[0]
