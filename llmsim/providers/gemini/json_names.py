"""Gemini's two spellings of names: protocol buffers' JSON accepts snake_case wherever it writes
camelCase (protobuf's "ProtoJSON Format")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import inspect

from llmsim.providers.wire.decoding import decode, malformed_body

T = TypeVar("T")
Rename: TypeAlias = Callable[[Any], Any]

# Keywords of Gemini's schemas. They have two spellings as well, unlike the names of properties.
SCHEMA = {
    "additional_properties": "additionalProperties",
    "any_of": "anyOf",
    "max_items": "maxItems",
    "max_length": "maxLength",
    "max_properties": "maxProperties",
    "min_items": "minItems",
    "min_length": "minLength",
    "min_properties": "minProperties",
    "prefix_items": "prefixItems",
    "property_ordering": "propertyOrdering",
}
_anything: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class Reader(Generic[T]):
    """Reads bodies of one type, in either spelling of their names.

    ``narrow`` is a type that fits most bodies and is quicker to read; the others are read as
    ``kind``.
    """

    def __init__(self, kind: type[T], narrow: type[T] | None = None) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)
        self._narrow = None if narrow is None else msgspec.json.Decoder(narrow)
        self._names = dict(_spellings(inspect.type_info(kind)))
        self._snake = _finder([*self._names, *SCHEMA])

    def read(self, body: bytes) -> T:
        """The body. Raises MalformedBody."""
        if b"_" in body and self._snake.search(body) is not None:
            return self._converted(body)
        if self._narrow is not None:
            try:
                return self._narrow.decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # what is wrong, if anything, the decoder of the whole type says
        return decode(self._decoder, body)

    def _converted(self, body: bytes) -> T:
        renamed = self._message(decode(_anything, body))
        try:
            return msgspec.convert(renamed, self._kind)
        except msgspec.ValidationError as error:
            raise malformed_body(error) from None

    def _message(self, value: Any) -> Any:
        return _renamed(value, self._names, _INSIDE, self._message)


def camel(value: Any) -> Any:
    """JSON values of a request with all its names in camelCase, but for the user's own JSON."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _INSIDE.get(name, camel)(inner)
        for name, inner in ((camel_name(key), inner) for key, inner in value.items())
    }


def camel_name(name: str) -> str:
    """A name in camelCase."""
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest) if rest else name


def _spellings(kind: inspect.Type) -> Iterator[tuple[str, str]]:
    """The fields of a type, and of those in it, that have two spellings."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                if field.name != field.encode_name:
                    yield field.name, field.encode_name
                yield from _spellings(field.type)
        case inspect.UnionType(types=types):
            for one in types:
                yield from _spellings(one)
        case inspect.ListType(item_type=item):
            yield from _spellings(item)


def _finder(names: list[str]) -> re.Pattern[bytes]:
    """Finds a key that is one of the names. Beginning with the underscore lets the search skip
    from one to the next, where a quotation mark would stop it at every key."""
    ends = []
    for name in names:
        first, _, rest = name.partition("_")
        ends.append(f'{rest}(?<="{first}_{rest})')
    return re.compile(f'_(?:{"|".join(ends)})"\\s*:'.encode())


def _renamed(value: Any, names: dict[str, str], inside: dict[str, Rename], rest: Rename) -> Any:
    """The value with its keys renamed, and what is under them: by ``inside``, else by ``rest``."""
    if isinstance(value, list):
        return [rest(one) for one in value]
    if not isinstance(value, dict):
        return value
    members: dict[str, Any] = value
    renamed = {}
    for key, inner in members.items():
        name = names.get(key, key)
        renamed[name] = inside.get(name, rest)(inner)
    return renamed


def _schema(value: Any) -> Any:
    return _renamed(value, SCHEMA, _IN_SCHEMA, _schema)


def _properties(value: Any) -> Any:
    return _renamed(value, {}, {}, _schema)


def _as_is(value: Any) -> Any:
    return value


# Members whose inside is no message, but a schema or the user's own JSON.
_INSIDE: dict[str, Rename] = {
    "parameters": _schema,
    "responseSchema": _schema,
    "parametersJsonSchema": _as_is,
    "responseJsonSchema": _as_is,
    "args": _as_is,
    "response": _as_is,
}
_IN_SCHEMA: dict[str, Rename] = {
    "properties": _properties,
    "default": _as_is,
    "enum": _as_is,
    "example": _as_is,
    "required": _as_is,
    "propertyOrdering": _as_is,
}
