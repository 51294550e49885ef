"""Places in a value and what can fill them, laid out so that recursion always has an exit.

Each spot has a *height*: how many levels of nesting the smallest value that fits it needs. A
spot is only ever filled within the levels that are left, so a recursive schema ends by
construction instead of by trial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from llmsim.engine.schema.impossible import ImpossibleSchema
from llmsim.engine.schema.keywords import Facet
from llmsim.engine.schema.seeded_random import SeededRandom

ENDLESS = 1 << 30
"""The height of a spot that nothing finite can fill."""

_MOST_SPOTS = 10_000


class Maker(Protocol):
    """Makes values for one spot."""

    def needs(self) -> Iterable[Spot]:
        """The spots that decide this maker's height."""
        ...

    def height(self) -> int:
        """Levels of nesting of the smallest value, given the heights of what it needs."""
        ...

    def all_values(self) -> Sequence[Any]:
        """Every value this maker can make, if they are few and simple; otherwise nothing."""
        ...

    def make(self, rng: SeededRandom, room: int, name: str) -> Any:
        """A value at most ``room`` levels high, ``room`` being at least the height.

        ``name`` is the property the value is for and makes it plausible, no more. Raises
        ImpossibleSchema.
        """
        ...


class SpotCompiler(Protocol):
    """Turns schemas that hold together into the spot they describe, the same for the same ones.

    What makers of arrays and objects need of the compiler.
    """

    def spot(self, schemas: tuple[Facet, ...]) -> Spot: ...

    def accepts(self, schemas: tuple[Facet, ...]) -> Callable[[Any], bool]:
        """A check of finished values against all of ``schemas``."""
        ...


class Spot:
    """A place in the value; what fills it is worked out when first needed."""

    __slots__ = ("_build", "_height", "_maker", "_settled", "fault")

    def __init__(self, build: Callable[[], Maker]) -> None:
        self._build = build
        self._maker: Maker | None = None
        self._height = ENDLESS
        self._settled = False
        self.fault: ImpossibleSchema | None = None

    @property
    def height(self) -> int:
        """Levels of nesting of the smallest value here; ENDLESS if there is none."""
        if not self._settled:
            self._settle()
        return self._height

    def make(self, rng: SeededRandom, room: int, name: str) -> Any:
        """As :meth:`Maker.make`."""
        if not self._settled:
            self._settle()
        if self._maker is None or self._height > room:
            raise self.why()
        return self._maker.make(rng, room, name)

    def all_values(self) -> Sequence[Any]:
        """Every value that fits here, if they are few and simple; otherwise nothing."""
        return self._maker.all_values() if self._maker is not None else ()

    def known(self) -> int:
        """The height as far as it has been worked out."""
        return self._height

    def why(self) -> ImpossibleSchema:
        """Why nothing fits here."""
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            spot = waiting.pop()
            if spot.fault is not None:
                return spot.fault
            if id(spot) not in seen and spot._maker is not None:
                seen.add(id(spot))
                waiting += [each for each in spot._maker.needs() if each._height >= ENDLESS][::-1]
        return ImpossibleSchema((), "recursion without an exit: no finite value is valid")

    def _settle(self) -> None:
        """Work out the heights of this spot and of all that it needs: a least fixpoint."""
        closure = self._closure()
        changed = True
        while changed:
            changed = False
            for spot in reversed(closure):
                height = spot._maker.height() if spot._maker is not None else ENDLESS
                if height < spot._height:
                    spot._height = height
                    changed = True
        for spot in closure:
            spot._settled = True

    def _closure(self) -> list[Spot]:
        found: dict[int, Spot] = {}
        waiting = [self]
        while waiting:
            spot = waiting.pop()
            if id(spot) in found or spot._settled:
                continue
            found[id(spot)] = spot
            if len(found) > _MOST_SPOTS:
                raise ImpossibleSchema((), f"describes more than {_MOST_SPOTS} distinct places")
            spot._prepare()
            if spot._maker is not None:
                waiting += spot._maker.needs()
        return list(found.values())

    def _prepare(self) -> None:
        if self._maker is None and self.fault is None:
            try:
                self._maker = self._build()
            except ImpossibleSchema as fault:
                self.fault = fault
