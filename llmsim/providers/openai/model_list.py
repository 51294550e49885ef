"""OpenAI's model objects (``types.model`` of openai 3.54)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from llmsim.core.catalog.models import Model
from llmsim.providers.openai.vllm import models as vllm_models


def model(described: Model) -> bytes:
    """``GET /v1/models/{id}``."""
    return orjson.dumps(_object(described))


def page(described: Iterable[Model], query: Mapping[str, list[str]], strict: bool = False) -> bytes:
    """``GET /v1/models``: all of them, for nothing can be asked for."""
    return orjson.dumps({"object": "list", "data": [_object(one) for one in described]})


def deleted(name: str) -> bytes:
    """``DELETE /v1/models/{id}``."""
    return orjson.dumps({"id": name, "object": "model", "deleted": True})


def _object(described: Model) -> dict[str, Any]:
    if described.server == "vllm":
        return vllm_models.model_card(described)
    return {
        "id": described.id,
        "object": "model",
        "created": described.created,
        "owned_by": described.owner,
    }
