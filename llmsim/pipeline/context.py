"""What happens to a request between being understood and being planned.

Each way to interfere is a :class:`Step` in a module of its own. A step sees the request as a
:class:`Subject`, may change what will be planned, and refuses by raising BadRequest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llmsim.core import Request
from llmsim.engine.compose import ModelSettings
from llmsim.engine.overrides import NO_OVERRIDES, ResponseOverrides
from llmsim.server.lifecycle import RequestLifecycle
from llmsim.transport.port import Port


@dataclass(slots=True)
class RequestContext:
    """One request as the steps see it, and what they make of it.

    ``port`` is None where nobody waits for the answer (batches). ``body`` is what the client sent,
    ``suffix`` the directions it put after the model's name.
    Steps replace ``request``, ``settings`` and ``overrides``; a later step sees what an earlier one
    decided.
    ``failure`` of a step is raised, not kept.
    """

    port: Port | None
    lifecycle: RequestLifecycle
    request: Request
    body: bytes
    settings: ModelSettings
    prompt_tokens: int
    overrides: ResponseOverrides = NO_OVERRIDES
    suffix: str = ""


class Step(Protocol):
    """One way to interfere with requests."""

    async def consider(self, context: RequestContext) -> None:
        """Look at one request. Raises BadRequest to refuse it."""
        ...


class Pipeline:
    """The steps that are in effect, in their order."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)

    async def consider(self, context: RequestContext) -> None:
        """Let each step look at the request. Raises BadRequest if one refuses it."""
        for step in self._steps:
            await step.consider(context)
