"""JSON responses of llmsim's own endpoints."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from llmsim.core.codec import dumps


def json_response(value: Any, status: int = 200) -> Response:
    """A response with that value."""
    return Response(dumps(value), status, media_type="application/json")


def error_response(status: int, message: str) -> Response:
    """A response with an error. The message names the key, header or parameter at fault."""
    return json_response({"error": {"message": message}}, status)
