"""What a path of Vertex AI calls: ``…/publishers/PUBLISHER/models/NAME:VERB``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

PREFIXES = ("/v1/projects/", "/v1/publishers/", "/v1beta1/")
GOOGLE = "google"
ANTHROPIC = "anthropic"
VERBS = {
    GOOGLE: (
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "embedContent",
        "batchEmbedContents",
        "predict",
    ),
    ANTHROPIC: ("rawPredict", "streamRawPredict"),
}
"""What can be called on a publisher's models."""
COUNT = "count-tokens"
"""The name that stands for a model where tokens of Anthropic's are counted."""
REMEMBERED = 4096

_CALL = re.compile(
    r"/(?:v1|v1beta1)/(?P<parent>projects/[^/]+/locations/[^/]+/)?"
    r"(?:publishers/(?P<publisher>google|anthropic)/models|(?P<tuned>endpoints))/(?P<model>.+)"
    r":(?P<verb>[A-Za-z]+)",
    re.DOTALL,
)


class VertexCall(NamedTuple):
    """What a path says of a call. ``model`` None is for a body that names it; ``parent`` are the
    project and the location, ``""`` where there are none."""

    publisher: str
    model: str | None
    verb: str
    parent: str = ""


@lru_cache(maxsize=REMEMBERED)
def vertex_call(path: str) -> VertexCall | None:
    """The call a path stands for; None if it is none. ``path`` may be percent-encoded. What was
    tuned and put behind an endpoint is Google's."""
    found = _CALL.fullmatch(unquote(path) if "%" in path else path)
    if found is None:
        return None
    publisher = found["publisher"] or GOOGLE
    if found["verb"] not in VERBS[publisher]:
        return None
    return VertexCall(publisher, found["model"], found["verb"], found["parent"] or "")
