"""Where something is in a JSON body: ``messages[-1].content``, ``metadata["a.b"]``,
``tools[*].function.name``.

Names with dots between them, places in lists counted from 0 (from −1 backwards), and ``*`` for
all of them. That is as messages of faults and providers' errors name a field; it has no filters,
so what it costs is bounded by the size of the body. JSONPath's ``$.`` may stand before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, TypeAlias

BodyPath: TypeAlias = tuple[str | int | None, ...]
"""Names, places in lists, and None for every item of a list or mapping."""

MOST: Final = 1000
"""Values that are found at most."""
LONGEST: Final = 32
"""Steps a path may have."""

VALID: Final = 'a path such as user, messages[0].content, tools[*].name or metadata["a.b"]'
_STEP: Final = re.compile(
    r"""\.?(?:(?P<name>[^.\[\]"'*\s]+)|(?P<all>\*)"""
    r"""|\[(?:(?P<place>-?\d{1,6})|(?P<every>\*)|"(?P<quoted>[^"]+)"|'(?P<single>[^']+)')\])"""
)


@lru_cache(maxsize=4096)
def parsed(text: str) -> BodyPath:
    """The path. Raises ValueError for a text that is none."""
    rest = text.removeprefix("$")
    steps: list[str | int | None] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        # The first name needs no dot before it, all others do.
        bare = step is not None and (step["name"] or step["all"]) and rest[at] != "."
        dotted = rest[at] == "." and step is not None and rest[at + 1] == "["
        if step is None or (bare and at > 0) or dotted:
            raise ValueError(text)
        at = step.end()
        if step["place"] is not None:
            steps.append(int(step["place"]))
        else:
            steps.append(step["name"] or step["quoted"] or step["single"])
    if not 0 < len(steps) <= LONGEST or rest[0] == "." == text[0]:
        raise ValueError(text)
    return tuple(steps)


def found(value: Any, path: BodyPath) -> Iterator[Any]:
    """What is there: nothing, one value, or several where the path has a ``*``."""
    values = [value]
    for step in path:
        values = [inner for outer in values for inner in _step(outer, step)][:MOST]
    return iter(values)


def _step(value: Any, step: str | int | None) -> Any:
    if step is None:
        if isinstance(value, dict):
            return value.values()
        return value if isinstance(value, list) else ()
    if isinstance(step, str):
        return (value[step],) if isinstance(value, dict) and step in value else ()
    if isinstance(value, list) and -len(value) <= step < len(value):
        return (value[step],)
    return ()
