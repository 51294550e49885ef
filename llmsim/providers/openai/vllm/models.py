"""vLLM's model objects (``ModelCard`` of its protocol)."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from llmsim.core.catalog.models import Model
from llmsim.core.catalog.servers import ADAPTER


def model_card(described: Model) -> dict[str, Any]:
    """One model; an adapter (``base:adapter``) is the child of its base."""
    base, _, adapter = described.id.partition(ADAPTER)
    return {
        "id": described.id,
        "object": "model",
        "created": described.created,
        "owned_by": "vllm",
        "root": described.id,
        "parent": base if adapter else None,
        "max_model_len": described.context_window,
        "permission": [_permission(described)],
    }


def _permission(described: Model) -> dict[str, Any]:
    return {
        "id": f"modelperm-{crc32(described.id.encode()):032x}",
        "object": "model_permission",
        "created": described.created,
        "allow_create_engine": False,
        "allow_sampling": True,
        "allow_logprobs": True,
        "allow_search_indices": False,
        "allow_view": True,
        "allow_fine_tuning": False,
        "organization": "*",
        "group": None,
        "is_blocking": False,
    }
