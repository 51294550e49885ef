"""The bodies of requests to cold paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from starlette.requests import Request

from llmsim.server.pipeline_state import by_size

P = ParamSpec("P")
T = TypeVar("T")


async def read_body(
    request: Request, read: Callable[Concatenate[bytes, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """What ``read`` makes of the request's body; a large one keeps nobody waiting."""
    body = await request.body()
    return await by_size(len(body), read, body, *args, **kwargs)
