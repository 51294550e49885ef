"""What becomes of requests that neither a mock nor a recording answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from llmsim.core.patterns import matches

OnMiss: TypeAlias = Literal["simulate", "fail", "proxy"]


@dataclass(frozen=True, slots=True)
class OnMissRules:
    """What the first shell pattern of ``models`` says that matches the name of a request's model,
    or ``default``."""

    default: OnMiss = "simulate"
    models: tuple[tuple[str, OnMiss], ...] = ()

    def of(self, model: str) -> OnMiss:
        """What becomes of a request for a model."""
        for pattern, outcome in self.models:
            if matches(pattern, model):
                return outcome
        return self.default
