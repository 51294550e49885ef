"""What makers of arrays and objects ask of the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.spot import Spot


class PlaceCompiler(Protocol):
    """Turns schemas that hold together into the spot they describe, the same for the same ones."""

    def spot(self, schemas: tuple[Facet, ...]) -> Spot: ...

    def accepts(self, schemas: tuple[Facet, ...]) -> Callable[[Any], bool]:
        """A check of finished values against all of ``schemas``."""
        ...
