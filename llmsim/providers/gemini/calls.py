"""Which call a path stands for: ``…/models/NAME:VERB``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from llmsim.providers.gemini import errors
from llmsim.providers.gemini.errors import VERBS, Verb

COLLECTIONS = ("models", "tunedModels")
REMEMBERED = 4096

_CALL = re.compile(
    rf"(?:/gemini)?/(?P<version>v1|v1alpha|v1beta)/(?P<name>(?:{'|'.join(COLLECTIONS)})/.+)"
    rf":(?P<verb>{'|'.join(VERBS)})",
    re.DOTALL,
)


class GeminiCall(NamedTuple):
    """What a path says of a call. ``model`` None is for a body that names it."""

    version: str
    model: str | None
    verb: Verb


@lru_cache(maxsize=REMEMBERED)
def gemini_call(path: str) -> GeminiCall | None:
    """The call a path stands for; None if it is none. ``path`` may be percent-encoded."""
    found = _CALL.fullmatch(unquote(path) if "%" in path else path)
    if found is None:
        return None
    verb = next(verb for verb in VERBS if verb == found["verb"])
    return GeminiCall(found["version"], errors.bare(found["name"]), verb)
