"""Vertex AI's model objects (``publishers.models`` of its REST reference)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from llmsim.core.catalog.models import Model


def model(described: Model) -> bytes:
    """``GET /v1beta1/publishers/google/models/{id}``."""
    return orjson.dumps(_object(described))


def page(described: Iterable[Model], query: Mapping[str, list[str]], strict: bool = False) -> bytes:
    """``GET /v1beta1/publishers/google/models``: all of them on one page."""
    return orjson.dumps({"publisherModels": [_object(one) for one in described]})


def _object(described: Model) -> dict[str, Any]:
    publisher = described.provider
    return {
        "name": f"publishers/{publisher}/models/{described.id}",
        "versionId": "default",
        "openSourceCategory": "PROPRIETARY",
        "launchStage": "GA",
        "publisherModelTemplate": (
            "projects/{user-project}/locations/{location}/publishers/"
            f"{publisher}/models/{described.id}"
        ),
    }
