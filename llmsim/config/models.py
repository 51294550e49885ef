"""The ``models`` section: which models are on offer, and what becomes of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, get_args

from llmsim.config.containers import Each, Maybe
from llmsim.config.kinds import OneOf, Text

Unknown: TypeAlias = Literal["accept", "reject"]


@dataclass(frozen=True, slots=True)
class Models:
    """``available`` names the models on offer; None offers the whole catalogue.

    A model that is not on offer is served with default tokenizer and latency (``accept``) or
    not found (``reject``).
    """

    available: Annotated[tuple[str, ...] | None, Maybe(Each(Text(), distinct=True))] = None
    unknown: Annotated[Unknown, OneOf(get_args(Unknown))] = "accept"
