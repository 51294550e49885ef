"""API keys: which are let in, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, and what to call its owner where the key itself is not shown."""

    key: str
    name: str = ""


def masked(key: str, names: Mapping[str, str]) -> str:
    """A key as it may be shown: its owner's name where it has one."""
    if not key:
        return ANONYMOUS
    if key in names:
        return names[key]
    return f"{key[:3]}…{key[-4:]}" if len(key) > 10 else f"{key[:1]}…"
