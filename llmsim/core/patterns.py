"""Names by shell pattern: ``*``, ``?`` and ``[…]``, the case of letters counting."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern matches the whole of a name."""
    return _compiled(pattern).match(name) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
