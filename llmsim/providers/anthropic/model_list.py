"""Anthropic's model objects (``types.model_info`` of anthropic 2.12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from llmsim.core.catalog.models import Model
from llmsim.core.errors import invalid
from llmsim.providers.anthropic import lists
from llmsim.providers.anthropic.lists import Query

LINES = ("haiku", "sonnet", "opus", "fable", "mythos")
STAGES = ("active", "deprecated", "retired")
# What a listing shows if nothing is asked for: models that the service itself still answers for.
SHOWN = ("active", "deprecated")


def model(described: Model) -> bytes:
    """``GET /v1/models/{id}``."""
    return orjson.dumps(_object(described))


def page(described: Sequence[Model], query: Query, strict: bool = False) -> bytes:
    """``GET /v1/models``, newest first. Raises BadRequest."""
    stages = query.get("lifecycle[]") or query.get("lifecycle") or SHOWN
    for stage in stages:
        if stage not in STAGES:
            raise invalid(
                "lifecycle: Input should be 'active', 'deprecated' or 'retired'", "lifecycle"
            )
    shown = [one for one in described if one.lifecycle in stages]
    shown.sort(key=lambda one: one.created, reverse=True)
    wanted = lists.window(query, strict)
    part, more = lists.cut([one.id for one in shown], wanted)
    return lists.page([_object(one) for one in shown[part]], more)


def timestamp(seconds: float) -> str:
    """Unix time in RFC 3339, as Anthropic writes it."""
    written = datetime.fromtimestamp(seconds, UTC).isoformat()
    return written.replace("+00:00", "Z")


def _object(described: Model) -> dict[str, Any]:
    return {
        "type": "model",
        "id": described.id,
        "display_name": described.display_name,
        "created_at": timestamp(described.created),
        "lifecycle": described.lifecycle,
        "deprecated_at": None,
        "retires_at": None,
        "line": next((line for line in LINES if line in described.id), None),
        "max_input_tokens": described.context_window,
        "max_tokens": described.max_output_tokens,
        "capabilities": _capabilities(described),
    }


def _capabilities(described: Model) -> dict[str, Any]:
    """What llmsim simulates of the model."""
    yes, no = {"supported": True}, {"supported": False}
    thinks = {"supported": described.reasoning}
    return {
        "batch": yes,
        "citations": yes,
        "code_execution": no,
        "context_management": no,
        "effort": {"low": thinks, "medium": thinks, "high": thinks, "xhigh": thinks, "max": thinks}
        | thinks,
        "image_input": yes,
        "pdf_input": yes,
        "server_tools": {"code_execution": no, "web_search": no} | no,
        "structured_outputs": yes,
        "thinking": {
            "types": {"adaptive": thinks, "enabled": thinks, "disabled": yes, "between_tools": yes}
        }
        | thinks,
    }
