"""What a path of Bedrock calls: ``/model/ID/OPERATION``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, cast
from urllib.parse import unquote

PREFIX = "/model/"
REMEMBERED = 4096

Operation: TypeAlias = Literal[
    "converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens"
]

_CALL = re.compile(
    rf"{PREFIX}(?P<model>.+)"
    r"/(?P<operation>converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)",
    re.DOTALL,
)


class BedrockCall(NamedTuple):
    """What a path says of a call. ``model`` None is for a body that names it."""

    model: str | None
    operation: Operation

    @property
    def embeds(self) -> bool:
        """Whether the model makes embeddings."""
        return self.model is not None and "embed" in self.model


@lru_cache(maxsize=REMEMBERED)
def bedrock_call(path: str) -> BedrockCall | None:
    """The call a path stands for; None if it is none. ``path`` may be percent-encoded. Of the ARN
    of an inference profile, the name at its end is the model."""
    found = _CALL.fullmatch(path)
    if found is None:
        return None
    model = unquote(found["model"])
    if model.startswith("arn:"):
        model = model.rpartition("/")[2]
    return BedrockCall(model, cast("Operation", found["operation"]))
