"""Azure's model objects (``GET /openai/models``), as its REST reference describes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from llmsim.core.catalog.models import Model


def model(described: Model) -> bytes:
    """``GET /openai/models/{id}``."""
    return orjson.dumps(_object(described))


def page(described: Iterable[Model], query: Mapping[str, list[str]], strict: bool = False) -> bytes:
    """``GET /openai/models``: all of them, for nothing can be asked for."""
    return orjson.dumps({"data": [_object(one) for one in described], "object": "list"})


def _object(described: Model) -> dict[str, Any]:
    chat = described.kind == "chat"
    return {
        "id": described.id,
        "object": "model",
        "status": "succeeded",
        "created_at": described.created,
        "updated_at": described.created,
        "created": described.created,
        "owned_by": described.owner,
        "capabilities": {
            "fine_tune": False,
            "inference": True,
            "completion": described.kind == "completion",
            "chat_completion": chat,
            "embeddings": described.kind == "embedding",
        },
        "lifecycle_status": "generally-available",
        "deprecation": {},
    }
