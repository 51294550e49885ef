"""Values from a list: enum, const, true and false, null."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from llmsim.engine.schema.dice import Dice
from llmsim.engine.schema.spot import Spot


class Constants:
    """One of the given values."""

    __slots__ = ("_flat", "values")

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = tuple(values)
        self._flat = not any(isinstance(value, dict | list) for value in values)

    def needs(self) -> Iterable[Spot]:
        return ()

    def all_values(self) -> Sequence[Any]:
        return self.values

    def height(self) -> int:
        return 0

    def make(self, dice: Dice, room: int, name: str) -> Any:
        dice.spend()
        value = dice.pick(self.values)
        return value if self._flat else deepcopy(value)
