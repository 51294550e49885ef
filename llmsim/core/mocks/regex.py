"""Regular expressions that take linear time, whatever they and the text are: RE2's.

What RE2 cannot do (back references, look-around) cannot be done in linear time and is an error.
"""

from __future__ import annotations

from typing import Any, Final

import re2

LONGEST: Final = 10_000
"""Characters of a pattern."""
MEMORY: Final = 8 << 20
"""Bytes a compiled pattern may take."""
LARGEST: Final = 5000
"""Steps a compiled pattern may have: a search takes time in proportion, in the worst case."""
SYNTAX: Final = "https://github.com/google/re2/wiki/Syntax"


def options(memory: int = MEMORY) -> Any:
    """How patterns are compiled: errors are raised, not logged."""
    chosen = re2.Options()
    chosen.log_errors = False
    chosen.max_mem = memory
    return chosen


def compiled(pattern: str) -> Any:
    """The pattern, ready to search in bytes of UTF-8. Raises re2.error."""
    return re2.compile(pattern, options())


def check(pattern: str) -> None:
    """Raises ValueError with the reason for a pattern that is not accepted."""
    if len(pattern) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        size = compiled(pattern).programsize
    except (re2.error, UnicodeEncodeError) as error:
        message = f"not a regular expression that RE2 takes: {_reason(error)} (see {SYNTAX})"
        raise ValueError(message) from None
    if size > LARGEST:
        raise ValueError(f"too much to search for: {size} steps, where {LARGEST} are allowed")


def _reason(error: Exception) -> str:
    """RE2's message, which its bindings hand on as bytes."""
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)
