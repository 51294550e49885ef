"""Gemini's model objects (``types.Model`` of google-genai 3.4)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from llmsim.core.catalog.models import Model
from llmsim.core.errors import invalid
from llmsim.providers.gemini import errors as gemini_errors

PAGE = 50
MOST = 1000
_VERSION = re.compile(r"-(\d{3}|\d{2}-\d{2}|\d{2}-\d{4}|latest)$")
_DIGITS = re.compile(r"\d{1,9}")
_TOKEN = re.compile(r"models/([0-9]{1,9})")


def model(described: Model) -> bytes:
    """``GET /v1beta/models/{id}``."""
    return orjson.dumps(_object(described))


def page(described: Sequence[Model], query: Mapping[str, list[str]], strict: bool = False) -> bytes:
    """``GET /v1beta/models``: the models that are not retired, page by page. Raises BadRequest."""
    shown = [one for one in described if one.lifecycle != "retired"]
    size = _size(_value(query, "pageSize", "page_size"))
    start = _start(_value(query, "pageToken", "page_token"), len(shown))
    listed: dict[str, Any] = {"models": [_object(one) for one in shown[start : start + size]]}
    if start + size < len(shown):
        listed["nextPageToken"] = urlsafe_b64encode(f"models/{start + size}".encode()).decode()
    return orjson.dumps(listed)


def _value(query: Mapping[str, list[str]], *names: str) -> str:
    return next((query[name][-1] for name in names if name in query), "")


def _size(value: str) -> int:
    """How many models a page has; what is asked for beyond the most is passed over."""
    if not value:
        return PAGE
    if not _DIGITS.fullmatch(value):
        raise invalid(f"Invalid value at 'page_size' (TYPE_INT32), \"{value}\"", "page_size")
    return min(int(value) or PAGE, MOST)


def _start(token: str, count: int) -> int:
    """Where the page of that token begins, in a list of so many. Raises BadRequest."""
    if not token:
        return 0
    try:
        found = _TOKEN.fullmatch(urlsafe_b64decode(token).decode())
    except ValueError:
        found = None
    if found is None or int(found[1]) >= count:
        raise invalid("The page token is invalid.", "page_token")
    return int(found[1])


def _object(described: Model) -> dict[str, Any]:
    found = _VERSION.search(described.id)
    about = {
        "name": gemini_errors.resource(described.id),
        "version": found[1] if found else "001",
        "displayName": described.display_name,
        "description": f"{described.display_name}, simulated by llmsim.",
        "inputTokenLimit": described.context_window,
        "outputTokenLimit": described.max_output_tokens,
    }
    if described.kind == "embedding":
        return about | {
            "outputTokenLimit": 1,
            "supportedGenerationMethods": ["embedContent", "batchEmbedContents", "countTokens"],
        }
    about |= {
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
    }
    return about | {"thinking": True} if described.reasoning else about
