"""JSON responses of llmsim's own endpoints."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response


def json_response(value: Any, status: int = 200) -> Response:
    """A response with that value."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def error_response(status: int, message: str) -> Response:
    """A response with an error. The message names the key, header or parameter at fault."""
    return json_response({"error": {"message": message}}, status)
