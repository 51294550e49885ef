"""Reads JSON bodies, and says what is wrong with one in neutral terms."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
import orjson

T = TypeVar("T")

Problem: TypeAlias = Literal[
    "json", "missing", "type", "value", "minimum", "maximum", "short", "long"
]

_DIGITS = 19
_PLACE = re.compile(r" - at `(key in )?\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_TYPE = re.compile(r"Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`$")
_VALUE = re.compile(r"Invalid (?:enum )?value (?P<got>.*)$")
_LENGTH = re.compile(r"Expected `(?P<what>[^`]*)` of length (?P<side>[<>]=|==) (?P<bound>.*)$")
_RANGE = re.compile(r"Expected `(?P<what>[^`]*)` (?P<side>[<>]=?) (?P<bound>.*)$")


class MalformedBody(Exception):  # noqa: N818  named for what it says
    """A body that is not what the codec reads.

    ``path`` is the offending field as in ``messages[0].content`` ("" for the body itself).
    ``expected`` and ``got`` are JSON type names, bounds or values, depending on
    ``problem``:

    ========= ================================ =============
    problem   expected                         got
    ========= ================================ =============
    json      the parser's message             ""
    missing   ""                               ""
    type      types, joined by `` | ``         a type
    value     ""                               the value
    minimum   the bound                        the type
    maximum   the bound                        the type
    short     the least length                 the type
    long      the greatest length              the type
    ========= ================================ =============
    """

    def __init__(self, problem: Problem, path: str, expected: str = "", got: str = "") -> None:
        super().__init__(f"{path}: {problem}: expected {expected!r}, got {got!r}")
        self.problem = problem
        self.path = path
        self.expected = expected
        self.got = got


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as the decoder's type. Raises MalformedBody."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise malformed_body(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedBody("json", "", str(error)) from None


def json_values(body: bytes) -> Any:
    """The body as plain JSON values.

    Raises MalformedBody, also for numbers that no double can hold, which typed decoding may skip.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody("json", "", str(error)) from None


def stored_json(body: bytes) -> Any:
    """A stored body, which was accepted when it was sent, as plain JSON values.

    Numbers that no double can hold, which typed decoding may have skipped, are infinite.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body, parse_int=_number)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < _DIGITS else float(digits)


def malformed_body(error: msgspec.ValidationError) -> MalformedBody:
    """The parts of msgspec's message."""
    message = str(error)
    place = _PLACE.search(message)
    path = place["path"].lstrip(".") if place else ""
    message = message[: place.start()] if place else message
    if found := _MISSING.match(message):
        return MalformedBody("missing", f"{path}.{found['field']}" if path else found["field"])
    if found := _TYPE.match(message):
        return MalformedBody("type", path, found["expected"], found["got"])
    if found := _VALUE.match(message):
        return MalformedBody("value", path, "", found["got"])
    if found := _LENGTH.match(message):
        short = found["side"] == ">="
        return MalformedBody("short" if short else "long", path, found["bound"], found["what"])
    if found := _RANGE.match(message):
        low = found["side"].startswith(">")
        return MalformedBody("minimum" if low else "maximum", path, found["bound"], found["what"])
    return MalformedBody("value", path, "", message)
