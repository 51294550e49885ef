"""JSON values that are valid against a JSON Schema, from a seed.

The same schema and seed give the same value in every process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import orjson

from llmsim.core import Schema
from llmsim.engine.schema.compiler import Compiler
from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.normal import Document, normalise
from llmsim.engine.schema.seeded_random import Exhausted, SeededRandom
from llmsim.engine.schema.spot import ENDLESS, Spot

__all__ = ["ImpossibleSchema", "Path", "check", "normalise", "text", "value"]

MOST_STEPS = 20_000
HIGHEST = 100
_SPARE = 3  # levels of nesting a value may have beyond the fewest it needs
_SMALL = 16_384  # bytes: a larger schema weighs too much to keep many of


def value(schema: Schema, seed: int) -> Any:
    """A JSON value valid against the schema. Raises ImpossibleSchema if there is none."""
    rng = SeededRandom(seed, MOST_STEPS)
    try:
        root = _root(schema)
        return root.make(rng, root.height + _SPARE, "")
    except Exhausted:
        message = f"no value was found in {MOST_STEPS} steps"
        raise ImpossibleSchema((), message) from None
    except RecursionError:
        raise ImpossibleSchema((), "nested too deeply") from None


def text(schema: Schema, seed: int) -> str:
    """The same value as compact JSON text. Raises ImpossibleSchema if there is none."""
    made = value(schema, seed)
    try:
        return orjson.dumps(made).decode()
    except TypeError:  # integers of more than 64 bits
        return msgspec.json.encode(made).decode()


def check(schema: Schema) -> None:
    """Raises ImpossibleSchema if the schema is malformed or nothing is valid against it."""
    value(schema, 0)


def _root(schema: Schema) -> Spot:
    try:
        key = orjson.dumps(schema)
    except TypeError:  # integers of more than 64 bits
        key = msgspec.json.encode(schema)
    return _compiled(key) if len(key) <= _SMALL else _large(key)


def _compile(key: bytes) -> Spot:
    document = Document(msgspec.json.decode(key))
    root = Compiler(document).spot((document.root,))
    if root.height >= ENDLESS:
        raise root.why()
    if root.height > HIGHEST:
        raise ImpossibleSchema((), f"every value is nested more than {HIGHEST} levels deep")
    return root


_compiled = lru_cache(maxsize=512)(_compile)
_large = lru_cache(maxsize=8)(_compile)
