"""Spoils JSON values: what is left is mostly valid, and wrong in one to three places."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

Place = tuple[Any, Any]
"""A container, and the key or index of a value in it."""


def nested(depth: int, kind: int) -> Any:
    """A value so many levels deep."""
    value: Any = "x"
    for _ in range(depth):
        value = ([value], {"a": value}, {"type": "object", "properties": {"a": value}})[kind]
    return value


def odd(rng: random.Random) -> Any:
    """A value that something may trip over."""
    return rng.choice(ODD)() if rng.random() < 0.9 else nested(rng.choice(DEPTHS), rng.randrange(3))


DEPTHS = (3, 60, 130, 199, 201, 254, 256, 300, 400, 500, 800, 990, 1023, 1100)
ODD: tuple[Any, ...] = tuple(
    (lambda value=value: copy.deepcopy(value))  # type: ignore[misc]
    for value in (
        *(None, True, False, 0, 1, -1, 0.0, -0.0, 1e308, -1e308, 1e-320, 2**31, 2**63 - 1, 2**63),
        *(2**64 - 1, 2**64, -(2**63) - 1, 10**40, 1.5, "", " ", "x", "\x00", "\ud7ff\ue000"),
        *("😀" * 3, "a" * 70, "a" * 300, "x" + " " * 3000 + "y", "1" * 5000, "9" * 19, "null"),
        *("{}", "[", "data:image/png;base64,AAAA", "data:,", "http://[", "://", "%", "..", "\r\n"),
        *([], {}, [[]], [{}], [None], [["a"]], {"": ""}, {"a": {"a": {}}}, ["a", 1, None]),
        *({"type": "object"}, {"type": 5}, {"$ref": "#"}, {"$ref": "#/properties/a"}),
        *({"type": "array", "minItems": 10**9}, {"type": "array", "minItems": 9000, "items": {}}),
        *({"type": "string", "minLength": 10**5}, {"type": "integer", "minimum": 2**70}),
        *({"propertyOrdering": [["a"]], "properties": {"a": {}}}, {"pattern": "(a+)+$"}),
        *({"dependentRequired": 1, "dependencies": {}}, {"minLength": "9" * 5000}),
        *({"multipleOf": 1e-300}, {"enum": [2**70]}, {"const": {"a": [2**64]}}, {"not": {}}),
    )
)


def places(value: Any) -> list[Place]:
    """Every place in a value."""
    found: list[Place] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list) and holder[key]:
                waiting.append(holder[key])
    return found


def mutated(value: Any, rng: random.Random) -> bytes:
    """A body made of the value, with one to three things about it changed, or some of its bytes."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        found = places(value) if isinstance(value, dict | list) else []
        if not found:
            break
        _change(*rng.choice(found), rng)
    body = _text(value)
    if rng.random() < 0.15:
        body = _bitten(body, rng)
    return body


def _change(holder: Any, key: Any, rng: random.Random) -> None:
    match rng.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(("type", "id", "name", "a", "", "$ref", "content"))] = odd(rng)
        case 2 if isinstance(holder, list):
            holder.insert(key, rng.choice(holder))
        case 3 if isinstance(holder, list):
            holder += [holder[key]] * rng.choice((2, 50, 500))
        case 4 if isinstance(holder[key], str):
            at = rng.randrange(len(holder[key]) + 1)
            holder[key] = (
                holder[key][:at]
                + rng.choice(("\x00", '"', "\\", "😀", " " * 500))
                + (holder[key][at:])
            )
        case 5 if isinstance(holder[key], int | float):
            holder[key] = rng.choice((holder[key] * -1, holder[key] * 10**9, holder[key] + 0.5))
        case _:
            holder[key] = odd(rng)


def _text(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode(errors="replace")
    except RecursionError:
        return b"[" * 2000 + b"]" * 2000


def _bitten(body: bytes, rng: random.Random) -> bytes:
    """The body with some bytes lost, doubled or replaced."""
    spoiled = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        if not spoiled:
            break
        at = rng.randrange(len(spoiled))
        match rng.randrange(3):
            case 0:
                spoiled[at] = rng.randrange(256)
            case 1:
                del spoiled[at : at + rng.randint(1, 20)]
            case 2:
                spoiled[at:at] = spoiled[at : at + rng.randint(1, 20)]
    return bytes(spoiled)
