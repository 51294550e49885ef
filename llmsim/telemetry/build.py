"""What of llmsim runs: the modules as they are written, or compiled."""

from __future__ import annotations

from importlib.util import find_spec

HOT = "llmsim.engine.seeds"
"""One of the modules that are compiled where any is (pyproject.toml lists them)."""


def kind() -> str:
    """``compiled`` or ``source``: what importing a hot module gives, without importing it."""
    spec = find_spec(HOT)
    return "source" if spec is None or (spec.origin or "").endswith(".py") else "compiled"
