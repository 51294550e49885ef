"""What a path of Azure OpenAI calls: ``/openai/deployments/NAME/OPERATION?api-version=…``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

PREFIX = "/openai"
"""What paths begin with that are not those of the API's version 1."""
DEPLOYMENTS = f"{PREFIX}/deployments/"
RESPONSES = f"{PREFIX}/responses"
OPERATIONS = ("chat/completions", "completions", "embeddings")
"""What is called on a deployment, by OpenAI's codecs of the same path."""
REMEMBERED = 4096

_CALL = re.compile(
    rf"{DEPLOYMENTS}(?P<deployment>.+?)/(?P<operation>{'|'.join(OPERATIONS)})",
    re.DOTALL,
)
_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?|preview|latest|v1")


class AzureCall(NamedTuple):
    """What a path says of a call. ``deployment`` None is for a body that names the model."""

    operation: str
    deployment: str | None


@lru_cache(maxsize=REMEMBERED)
def azure_call(path: str) -> AzureCall | None:
    """The call a path stands for; None if it is none. ``path`` may be percent-encoded."""
    if path == RESPONSES:
        return AzureCall("responses", None)
    found = _CALL.fullmatch(path)
    if found is None:
        return None
    return AzureCall(found["operation"], unquote(found["deployment"]))


def deployment(path: str, operation: str) -> str | None:
    """The deployment of a path that calls the operation; None if it names none."""
    if not path.startswith(DEPLOYMENTS):
        return None
    return unquote(path.removeprefix(DEPLOYMENTS).removesuffix(f"/{operation}"))


@lru_cache(maxsize=REMEMBERED)
def has_version(query: str, strict: bool) -> bool:
    """Whether a query names a version of the API; ``strict`` wants one that may be."""
    version = parse_qs(query).get("api-version", [""])[-1]
    return _VERSION.fullmatch(version) is not None if strict else bool(version)
