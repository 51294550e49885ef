"""What all mappings of the configuration have in common, and all lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Final, Self, Unpack, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from llmsim.config.schema.problems import TWICE, Problem, Problems, all_at_once, at_place
from llmsim.config.schema.values import fault, unfit
from llmsim.core.spelling import did_you_mean

_WRITERS: Final[dict[type, Callable[[Any], Any]]] = {}
"""The domain's types, and how they are written."""


def key(field: str) -> str:
    """The key of a field: ``from`` is no name in Python, so its field is ``from_``."""
    return field.removesuffix("_")


class Section(BaseModel):
    """A mapping with these keys, and no others.

    A subclass says what it is a section ``of``: the type of the core or the settings that it
    becomes, ``domain``. Fields of that type have the names of the keys, times being in seconds
    there; ``flat`` are those whose type has a section of its own, and whose keys stand here.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=key, populate_by_name=False
    )
    domain: ClassVar[Any]
    flat: ClassVar[Mapping[str, type[Section]]] = {}

    def __init_subclass__(cls, of: Any = None, **config: Unpack[ConfigDict]) -> None:
        super().__init_subclass__(**config)
        if of is not None:
            cls.domain = of
            _WRITERS[of] = cls.write

    @classmethod
    @cache
    def key_names(cls) -> tuple[str, ...]:
        """The keys, in their order."""
        return tuple(key(name) for name in cls.model_fields)

    @classmethod
    def valid(cls) -> str:
        """What it takes, as in "must be …"."""
        return f"a mapping with the keys {', '.join(cls.key_names())}"

    @classmethod
    def long_form(cls, value: Any) -> Any:
        """The mapping that a short form stands for; nothing is one without keys."""
        return {} if value is None else value

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        """What is wrong over several keys; ``present`` are those that are set, rightly or not."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _read(
        cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        data = cls.long_form(data)
        if not isinstance(data, dict):
            raise unfit(cls.valid())
        keys = cls.key_names()
        known = {name: value for name, value in data.items() if name in keys}
        unknown = [
            at_place(
                fault(f"unknown key{did_you_mean(name, keys)}; valid are {', '.join(keys)}", True),
                (name,),
            )
            for name in data
            if name not in keys
        ]

        def check(model: Self) -> Problems:
            return model.problems(frozenset(known), info)

        model: Self = all_at_once(known, handler, check, unknown)
        return model

    def build(self) -> Any:
        """The value of the core or the settings that this says."""
        values: dict[str, Any] = {name: self.part(of).build() for name, of in self.flat.items()}
        for name, attribute in self._own():
            value = getattr(self, name)
            plain = value is None or isinstance(value, str)  # as most are
            values[attribute] = value if plain else _built(value, name)
        return self.domain(**values)

    @classmethod
    @cache
    def _own(cls) -> tuple[tuple[str, str], ...]:
        """The fields that are not those of another section, and the attributes they become."""
        inner = {name for of in cls.flat.values() for name in of.model_fields}
        own = [name for name in cls.model_fields if name not in inner]
        return tuple((name, name.removesuffix("_ms")) for name in own)

    def part(self, of: type[Section]) -> Section:
        """The part of these keys that another section has."""
        names = of.model_fields
        values = {name: getattr(self, name) for name in names}
        return of.model_construct(self.model_fields_set & names.keys(), **values)

    @classmethod
    def write(cls, value: Any) -> Any:
        """A value as it is written, without what is None or empty."""
        written: dict[str, Any] = {}
        for name in cls.model_fields:
            holder = value
            for attribute, of in cls.flat.items():
                if name in of.model_fields:
                    holder = getattr(value, attribute)
            member = getattr(holder, name.removesuffix("_ms"))
            if member is not None and member != ():
                if get_origin(cls.model_fields[name].annotation) is dict:
                    member = dict(member)
                written[key(name)] = plain(millis(member) if name.endswith("_ms") else member)
        return written


def subsection(section: type[Section], description: str = "") -> Any:
    """A mapping of its own below a key, at its defaults where that is not set."""
    return Field(
        default_factory=section, description=description or None, json_schema_extra=_or_nothing
    )


def _or_nothing(schema: dict[str, Any]) -> None:
    """A key without a value, which leaves the section at its defaults, is no mistake."""
    reference = schema.pop("$ref")
    schema["anyOf"] = [{"$ref": reference}, {"type": "null"}]


def _built(value: Any, name: str) -> Any:
    if isinstance(value, Section):
        return value.build()
    if isinstance(value, tuple):
        return tuple(_built(item, "") for item in value)
    if isinstance(value, dict):
        return tuple((name, _built(item, "")) for name, item in value.items())
    return seconds(value) if name.endswith("_ms") and value is not None else value


def seconds(millis: float) -> float:
    """Milliseconds in seconds, scaled in decimal so that what is written back is what was read."""
    return float(Decimal(repr(float(millis))).scaleb(-3))


def millis(seconds: float) -> float:
    """Seconds in milliseconds."""
    return float(Decimal(repr(seconds)).scaleb(3))


def plain(value: Any) -> Any:
    """A value of a configuration as plain YAML that reads back to an equal one."""
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@dataclass(frozen=True)
class Each:
    """A list of at least one value, and what ``check`` asks of all: it is given those that are
    right by themselves, with their places. With ``empty`` there may be none."""

    check: Callable[[dict[int, Any]], Problems] | None = None
    empty: bool = False

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # Not a constraint of pydantic's: it counts the items that are right.
        return {**handler(core), **({} if self.empty else {"minItems": 1})}

    def _read(self, data: Any, handler: Callable[[Any], tuple[Any, ...]]) -> tuple[Any, ...]:
        if not isinstance(data, list) or not (data or self.empty):
            raise unfit("a list of at least one value")

        def read(items: dict[int, Any]) -> dict[int, Any]:
            return dict(zip(items, handler(list(items.values())), strict=True))

        check = self.check or (lambda items: iter(()))
        return tuple(all_at_once(dict(enumerate(data)), read, check).values())


def distinct(items: dict[int, Any]) -> Problems:
    """No value twice."""
    seen: set[Any] = set()
    for place, item in items.items():
        if item in seen:
            yield Problem(place, TWICE)
        seen.add(item)
