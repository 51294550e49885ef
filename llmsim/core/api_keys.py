"""How API keys are shown."""

from __future__ import annotations

from collections.abc import Mapping

ANONYMOUS = "anonymous"


def masked(key: str, names: Mapping[str, str]) -> str:
    """A key as it may be shown: its owner's name where it has one."""
    if not key:
        return ANONYMOUS
    if key in names:
        return names[key]
    return f"{key[:3]}…{key[-4:]}" if len(key) > 10 else f"{key[:1]}…"
