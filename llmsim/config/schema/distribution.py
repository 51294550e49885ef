"""Distributions: a number, percentiles, a mean and a deviation, or the quantiles of a recording."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from llmsim.config.nodes import Untyped
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Each, Section, millis, seconds
from llmsim.config.schema.values import Number, Words, number, unfit
from llmsim.core.catalog.distribution import MOMENTS, SHARES, Distribution

CHOICES: Final = (*MOMENTS, "empirical")
MOST: Final = 1e9

Amount: TypeAlias = Annotated[float, Number(0, MOST)]


class DistributionSection(Section, of=Distribution):
    """How a number is distributed. A number by itself is that one every time."""

    distribution: Annotated[str, Words(CHOICES)] | None = Field(
        None,
        description="The kind: `lognormal` (default), `normal` (truncated at 0) or `gamma`, with "
        "`mean` and `stddev`, or `empirical`, with `quantiles`.",
    )
    mean: Amount | None = Field(None, description="Mean.")
    stddev: Amount | None = Field(None, description="Standard deviation.")
    p50: Amount | None = Field(None, description="Median. At least two percentiles.")
    p90: Amount | None = Field(None, description="90th percentile.")
    p95: Amount | None = Field(None, description="95th percentile.")
    p99: Amount | None = Field(None, description="99th percentile.")
    quantiles: Annotated[tuple[Amount, ...], Each()] | None = Field(
        None,
        description="Quantiles of a recording, evenly spaced from its least value to its greatest.",
    )
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = MOST
    what: ClassVar[str] = "a number"

    @classmethod
    def valid(cls) -> str:
        return f"{cls.what} from {cls.low:.12g} to {cls.high:.12g}, or a mapping"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if isinstance(value, Untyped):
            value = number(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            cls.check(value)
            return {"mean": value}
        return value

    @classmethod
    def check(cls, value: float) -> None:
        """Raises PydanticCustomError for a number that is out of bounds."""
        if not cls.low <= value <= cls.high:
            raise unfit(cls.valid())

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        percentiles = [name for name in SHARES if name in present]
        if "quantiles" in present:
            excluded: tuple[str, ...] = ("mean", "stddev", *percentiles)
            if self.distribution not in (None, "empirical"):
                yield Problem("quantiles", f"{self.distribution} has none", ("distribution",))
        elif self.distribution == "empirical":
            yield Problem("quantiles", "is missing: an empirical distribution needs them")
            return
        else:
            excluded = ("mean", "stddev", "distribution") if percentiles else ()
        for name in excluded:
            if name in present:
                with_ = "quantiles" if "quantiles" in present else percentiles[0]
                yield Problem(name, f"excludes {with_}", (with_,))
                return
        if not percentiles and "quantiles" not in present and self.mean is None:
            yield Problem("mean", "is missing: set it, two percentiles, or quantiles")
            return
        yield from self._impossible(tuple(percentiles))

    def _impossible(self, percentiles: tuple[str, ...]) -> Problems:
        try:
            built = self.distributed()
        except ValueError as error:
            where = percentiles[-1] if percentiles else "quantiles" if self.quantiles else "mean"
            yield Problem(where, str(error), ("mean", "stddev", "distribution", *percentiles))
            return
        values = [value for _, value in built.percentiles] or built.quantiles or (built.mean,)
        for value in values:
            if not self.low <= value <= self.high:
                yield Problem("", f"must be from {self.low:.12g} to {self.high:.12g}", percentiles)
                return

    def build(self) -> Any:
        return self.distributed()

    def distributed(self) -> Distribution:
        """The distribution, in the unit it is written in."""
        named = {name: getattr(self, name) for name in SHARES}
        if self.quantiles is not None:
            return Distribution(kind="empirical", quantiles=self.quantiles)
        if any(value is not None for value in named.values()):
            return Distribution(kind="percentiles", **named)
        kind: Any = self.distribution or "lognormal"
        return Distribution(self.mean or 0.0, self.stddev or 0.0, kind)

    @classmethod
    def write(cls, value: Distribution) -> Any:
        if value.quantiles:
            return {"distribution": "empirical", "quantiles": list(map(_plain, value.quantiles))}
        if value.percentiles:
            named = {name: getattr(value, name) for name in SHARES}
            return {name: _plain(one) for name, one in named.items() if one is not None}
        if value.constant:
            return _plain(value.mean)
        mean, stddev = _plain(value.mean), _plain(value.stddev)
        return {"distribution": value.kind, "mean": mean, "stddev": stddev}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        bounds = {"type": "number", "minimum": cls.low, "maximum": cls.high}
        return {"anyOf": [bounds, handler(core)]}


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


class TimesSection(DistributionSection):
    """Milliseconds, in seconds once they are read."""

    high: ClassVar[float] = 86_400_000
    what: ClassVar[str] = "a number of milliseconds"

    def build(self) -> Distribution:
        return self.distributed().converted(seconds)

    @classmethod
    def write(cls, value: Distribution) -> Any:
        return super().write(value.converted(millis))


class LengthSection(DistributionSection):
    """A number of tokens, whole where it is the same every time."""

    low: ClassVar[float] = 1
    high: ClassVar[float] = 1_000_000
    what: ClassVar[str] = "a whole number"

    @classmethod
    def check(cls, value: float) -> None:
        if not isinstance(value, int):
            raise unfit(cls.valid())
        super().check(value)

    def build(self) -> Distribution | int:
        built = self.distributed()
        whole = built.constant and float(built.mean).is_integer()
        return int(built.mean) if whole else built
