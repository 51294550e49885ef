"""How recorded answers are replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Ids: TypeAlias = Literal["fresh", "keep"]


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Which recordings answer, and how.

    ``path`` None replays nothing. ``speed`` 2 halves all times. ``ids`` says whether an answer has
    ids of its own, or the recorded ones. ``match_also`` are further fields of a request's body that
    count when it is compared with the recorded ones, ``match_never`` those that do not.
    """

    path: str | None = None
    speed: float = 1.0
    ids: Ids = "fresh"
    match_also: tuple[str, ...] = ()
    match_never: tuple[str, ...] = ()
