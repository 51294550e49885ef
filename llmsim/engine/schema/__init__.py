"""JSON values that are valid against a JSON Schema, from a seed.

The same schema and seed give the same value in every process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from llmsim.core import Schema
from llmsim.core.codec import dumps
from llmsim.engine.schema.compiler import Compiler
from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.normal import Document, normalise
from llmsim.engine.schema.seeded_random import Exhausted, SeededRandom
from llmsim.engine.schema.spot import ENDLESS, Spot

__all__ = ["ImpossibleSchema", "Path", "check", "normalise", "text", "value"]

MOST_STEPS = 20_000
QUICK_STEPS = 200
"""Steps that take less than about a millisecond."""
HIGHEST = 100
_SPARE = 3  # levels of nesting a value may have beyond the fewest it needs
_SMALL = 16_384  # bytes: a larger schema weighs too much to keep many of


def value(schema: Schema, seed: int) -> Any:
    """A JSON value valid against the schema. Raises ImpossibleSchema if there is none."""
    rng = SeededRandom(seed, MOST_STEPS)
    try:
        key = dumps(schema)
        root = _root(key)
        made = root.make(rng, root.height + _SPARE, "")
    except Exhausted:
        message = f"no value was found in {MOST_STEPS} steps"
        raise ImpossibleSchema((), message) from None
    except RecursionError:
        raise ImpossibleSchema((), "nested too deeply") from None
    if len(_quick) >= _KEPT:
        _quick.clear()
    if MOST_STEPS - rng.steps <= QUICK_STEPS:
        _quick.add(key)
    else:
        _quick.discard(key)
    return made


def quick(schema: Schema) -> bool:
    """Whether the schema is understood already, and its last value was made in no time."""
    return dumps(schema) in _quick


def text(schema: Schema, seed: int) -> str:
    """The same value as compact JSON text. Raises ImpossibleSchema if there is none."""
    return dumps(value(schema, seed)).decode()


def check(schema: Schema) -> None:
    """Raises ImpossibleSchema if the schema is malformed or nothing is valid against it."""
    value(schema, 0)


def _root(key: bytes) -> Spot:
    return _compiled(key) if len(key) <= _SMALL else _large(key)


def _compile(key: bytes) -> Spot:
    document = Document(msgspec.json.decode(key))
    root = Compiler(document).spot((document.root,))
    if root.height >= ENDLESS:
        raise root.why()
    if root.height > HIGHEST:
        raise ImpossibleSchema((), f"every value is nested more than {HIGHEST} levels deep")
    return root


_KEPT = 512
_quick: set[bytes] = set()
_compiled = lru_cache(maxsize=_KEPT)(_compile)
_large = lru_cache(maxsize=8)(_compile)
