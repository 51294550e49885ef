"""Assistants: the answer to a request that makes a run work, plain and streamed.

Shapes as openai 3.57 types them in ``types.beta``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from llmsim.core import Completion, Headers, Plan, Request, Stamp, StreamScript
from llmsim.core.errors import Failure
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.assistants import events, params, runs

Reader: TypeAlias = Callable[[bytes], tuple[Any, bool]]
"""Reads a body: what it says, and whether a stream is wanted. Raises BadRequest."""


def read_run(body: bytes) -> tuple[Any, bool]:
    """The body of ``POST /v1/threads/{id}/runs`` or ``POST /v1/threads/runs``."""
    made, members = params.run_params(body)
    return (made, members), made.stream is True


def read_outputs(body: bytes) -> tuple[Any, bool]:
    """The body of ``POST …/submit_tool_outputs``."""
    made = params.tool_outputs(body)
    return made, made.stream is True


class RunCodec:
    """What creates a run, or lets it go on. ``read`` reads the body.

    Which assistant and thread it is about only the endpoint's memory knows: what is decoded is
    no whole request yet.
    """

    name = "openai_assistants"

    def __init__(self, read: Reader) -> None:
        self._read = read

    def decode(self, body: bytes) -> Request:
        wire, stream = self._read(body)
        return Request("", (), stream, wire=wire)

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        run = events.named(request.wire.run, stamp)
        return orjson.dumps(runs.open_object(run, "queued", stamp.created))

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        return events.script(request, completion, stamp)

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        """The events that end a run which fails after ``sent`` events."""
        return events.failed(request, completion, failure, stamp, sent)


def head(plan: Plan, stamp: Stamp) -> Headers:
    """The response head: clients that poll are told when the run will stop."""
    made = openai_errors.head(plan, stamp)
    if plan.completion is not None and not plan.stream:
        made.append(("openai-poll-after-ms", str(runs.poll_after(plan.total))))
    return made
