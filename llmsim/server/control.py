"""What happens to a request between being understood and being planned.

Each way to interfere is a :class:`Step` in a module of its own. A step sees the request as a
:class:`Subject`, may change what will be planned, and refuses by raising BadRequest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from llmsim.engine.answer import Rules
from llmsim.engine.orders import AS_ASKED, Orders
from llmsim.exchange import Ask
from llmsim.server.ports import Port
from llmsim.server.request import Request


@dataclass(slots=True)
class Subject:
    """One request as the steps see it, and what they make of it.

    ``port`` is None where nobody waits for the answer (batches). ``body`` is what the client sent,
    ``suffix`` the directions it put after the model's name.
    Steps replace ``ask``, ``rules`` and ``orders``; a later step sees what an earlier one decided.
    ``failure`` of a step is raised, not kept.
    """

    port: Port | None
    request: Request
    ask: Ask
    body: bytes
    rules: Rules
    prompt_tokens: int
    orders: Orders = AS_ASKED
    suffix: str = ""


class Step(Protocol):
    """One way to interfere with requests."""

    async def consider(self, subject: Subject) -> None:
        """Look at one request. Raises BadRequest to refuse it."""
        ...


class Control:
    """The steps that are in effect, in their order."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)

    async def consider(self, subject: Subject) -> None:
        """Let each step look at the request. Raises BadRequest if one refuses it."""
        for step in self._steps:
            await step.consider(subject)
