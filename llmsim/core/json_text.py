"""JSON text of values that came as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson


def dumps(value: Any) -> bytes:
    """The value as compact JSON, integers of any size included.

    Raises RecursionError if it is nested too deeply, as no more than a few values are.
    """
    try:
        return orjson.dumps(value)
    except TypeError:  # integers of more than 64 bits, more than 254 levels
        return msgspec.json.encode(value)
