"""The kinds of values that keys have: annotations for pydantic.

Each says what it takes in the words that follow "must be". pydantic's own constraints are kept
beside that, as editors are told by the JSON Schema that follows from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any, Final, TypeAlias, get_args
from urllib.parse import urlsplit

import annotated_types as at
from pydantic import (
    AllowInfNan,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationError,
    WithJsonSchema,
    WrapValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from llmsim.config.nodes import Untyped
from llmsim.core.errors import FailureKind
from llmsim.core.mocks import body_path, regex, template
from llmsim.core.overrides import ScenarioName
from llmsim.core.spelling import did_you_mean

LONGEST_LABEL: Final = 200
_HOST_PATTERN: Final = re.compile(r"[\w*?.\[\]-]+", re.ASCII)

KINDS: Final = tuple(kind.value for kind in FailureKind)


def fault(message: str, at_key: bool = False) -> PydanticCustomError:
    """The error with just that message; ``at_key`` where the key, not its value, is at fault."""
    return PydanticCustomError("fault", "{message}", {"message": message, "at_key": at_key})


def unfit(valid: str, hint: str = "", quote: bool = False) -> PydanticCustomError:
    """The error for a value that is not what is valid here. ``quote`` adds that it has to be
    quoted to be text."""
    return PydanticCustomError(
        "unfit", "must be {valid}", {"valid": valid, "hint": hint, "quote": quote}
    )


def must_be(valid: str) -> WrapValidator:
    """Says what is valid, whatever it is that pydantic refuses."""

    def read(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise unfit(valid) from None

    return WrapValidator(read)


def number(value: Any) -> Any:
    """A number that was written where nothing says which type is meant, or the value itself."""
    if isinstance(value, Untyped):
        for parse in (lambda text: int(text, 0), float):
            with suppress(ValueError):
                return parse(value)
    return value


@dataclass(frozen=True)
class Whole(at.GroupedMetadata):
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    def __iter__(self) -> Iterator[object]:
        yield from (Strict(), at.Ge(self.low), at.Le(self.high), BeforeValidator(number))
        yield must_be(f"a whole number from {self.low} to {self.high}")


@dataclass(frozen=True)
class Number(at.GroupedMetadata):
    """A number from ``low`` to ``high``, both finite; NaN and infinities are out of range."""

    low: float
    high: float
    unit: str = ""

    def __iter__(self) -> Iterator[object]:
        yield from (Strict(), AllowInfNan(False), at.Ge(self.low), at.Le(self.high))
        yield BeforeValidator(number)
        yield must_be(f"a number{self.unit} from {self.low:.12g} to {self.high:.12g}")


def Millis(high: float) -> Number:  # noqa: N802  an annotation, like the others
    """A time in milliseconds."""
    return Number(0, high, " of milliseconds")


@dataclass(frozen=True)
class Words(at.GroupedMetadata):
    """One of a few words, in any case."""

    words: tuple[str, ...]

    def __iter__(self) -> Iterator[object]:
        yield WithJsonSchema({"type": "string", "enum": list(self.words)})
        yield BeforeValidator(self._read)

    def _read(self, value: Any) -> str:
        text = value if isinstance(value, str) else ""
        if text in self.words:
            return text
        for word in self.words:
            if word.lower() == text.lower():
                return word
        valid = " or ".join(filter(None, (", ".join(self.words[:-1]), self.words[-1])))
        raise unfit(valid, did_you_mean(text.lower(), self.words))


def text(value: Any, valid: str = "text") -> str:
    """Text of at least one character."""
    if not isinstance(value, str):
        raise unfit(valid, quote=isinstance(value, bool | int | float))
    if not value:
        raise fault("must not be empty")
    return str(value)


@dataclass(frozen=True)
class Text(at.GroupedMetadata):
    """Text of at least one character, and what else ``check`` asks of it: it raises ValueError."""

    valid: str = "text"
    check: Callable[[str], object] | None = None
    empty: bool = False

    def __iter__(self) -> Iterator[object]:
        if not self.empty:
            yield at.MinLen(1)
        yield BeforeValidator(self.read)

    def read(self, value: Any) -> str:
        """The text. Raises PydanticCustomError."""
        if self.empty and value == "":
            return ""
        read = text(value, self.valid)
        if self.check is not None:
            try:
                self.check(read)
            except ValueError as error:
                raise fault(str(error)) from None
        return read


def _switch(value: Any) -> Any:
    if isinstance(value, Untyped):
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def _address(value: Any) -> str:
    try:
        return str(ip_address("127.0.0.1" if value == "localhost" else str(value)))
    except ValueError:
        raise unfit("an IP address such as 0.0.0.0, 127.0.0.1 or ::") from None


def _origin(text: str) -> None:
    """Raises ValueError for what no browser sends as a page's origin."""
    parts = urlsplit(text)
    if not parts.scheme or not parts.netloc or text != f"{parts.scheme}://{parts.netloc}".lower():
        raise ValueError("must be a scheme and a host in lower case, as https://app.example.com")


def _host_pattern(value: str) -> None:
    if not _HOST_PATTERN.fullmatch(value):
        raise ValueError("must be a host name such as sim.example or *.sim.example, and no port")


def _label(value: str) -> None:
    """Raises ValueError for what cannot be sent as the value of a header as it is."""
    if value != value.strip() or not value.isprintable() or len(value) > LONGEST_LABEL:
        raise ValueError(
            f"must be one line of at most {LONGEST_LABEL} characters, without spaces around it"
        )


def _path(value: str) -> str:
    try:
        body_path.parsed(value)
    except ValueError:
        raise unfit(body_path.VALID) from None
    return value


def _name(what: str, value: str) -> str:
    if not value:
        raise fault(f"a {what} must not be empty", at_key=True)
    return value


def _mapping(names: str, value: Any) -> Any:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise unfit(f"a mapping with {names} as keys")
    return value


@dataclass(frozen=True)
class ShortForm:
    """Reads a short form as what it stands for: ``read`` gives that, ``schema`` a JSON Schema of
    both from that of the long form."""

    read: Callable[[Any], Any]
    schema: Callable[[JsonSchemaValue], JsonSchemaValue]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.schema(handler(core))


def Named(name: str) -> ShortForm:  # noqa: N802  an annotation, like the others
    """A mapping with free names as keys; nothing is an empty one."""
    return ShortForm(
        partial(_mapping, f"{name}s"), lambda schema: {**schema, "type": ["object", "null"]}
    )


def Name(what: str) -> BeforeValidator:  # noqa: N802  an annotation, like the others
    """A key of such a mapping."""
    return BeforeValidator(partial(_name, what))


Switch: TypeAlias = Annotated[bool, Strict(), BeforeValidator(_switch), must_be("true or false")]
Address: TypeAlias = Annotated[str, BeforeValidator(_address)]
HostPattern: TypeAlias = Annotated[str, Text("a host name", _host_pattern)]
Origin: TypeAlias = Annotated[str, Text("an origin", _origin)]
Line: TypeAlias = Annotated[str, Text()]
Label: TypeAlias = Annotated[str, Text("a name", _label)]
ShellPattern: TypeAlias = Annotated[str, Text("a shell pattern")]
Regex: TypeAlias = Annotated[str, Text("a regular expression", regex.check)]
Template: TypeAlias = Annotated[str, Text(check=template.parsed)]
FreeTemplate: TypeAlias = Annotated[str, Text(check=template.parsed, empty=True)]
PathInBody: TypeAlias = Annotated[str, Name("path"), BeforeValidator(_path)]
Kind: TypeAlias = Annotated[str, Words(KINDS)]
ScenarioWord: TypeAlias = Annotated[ScenarioName, Words(get_args(ScenarioName))]
Status: TypeAlias = Annotated[int, Whole(400, 599)]
Share: TypeAlias = Annotated[float, Number(0, 1)]
Hour: TypeAlias = Annotated[float, Millis(3_600_000)]
Day: TypeAlias = Annotated[float, Millis(86_400_000)]
Seed: TypeAlias = Annotated[int, Whole(0, 2**63 - 1)]
Count: TypeAlias = Annotated[int, Whole(1, 1_000_000_000)]
