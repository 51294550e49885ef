"""vLLM's response heads and its error envelope (``ErrorResponse`` of its protocol)."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

import orjson

from llmsim.core import Headers, Plan, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers.openai import errors as openai_errors

_KINDS = {400: "BadRequestError", 404: "NotFoundError", 500: "InternalServerError"}


def failure(failed: Failure, stamp: Stamp | None = None) -> tuple[int, bytes]:
    """Status and body of a failed call: the code is the status, the type its name."""
    status, body = openai_errors.failure(failed)
    message = orjson.loads(body)["error"]["message"]
    if failed.kind is FailureKind.MODEL_NOT_FOUND and failed.model is not None:
        message = f"The model `{failed.model}` does not exist."
    error = {"message": message, "type": _kind(status), "param": failed.param, "code": status}
    return status, orjson.dumps({"error": error})


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head of an answered call: OpenAI's without what its service says of itself."""
    every = openai_errors.head(plan, stamp)
    return [(name, value) for name, value in every if not name.startswith("openai-")]


def _kind(status: int) -> str:
    return _KINDS.get(status) or next(
        (known.phrase for known in HTTPStatus if known == status), "Error"
    )


FORMAT = replace(openai_errors.FORMAT, failure=failure)
