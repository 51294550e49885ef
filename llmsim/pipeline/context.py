"""One request on its way from its bytes to its plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from llmsim.core import Headers, Plan, Request, Stamp
from llmsim.core.errors import Failure
from llmsim.core.mocks.on_miss import OnMiss
from llmsim.core.overrides import Scenario
from llmsim.core.state import Caller, HeldLimits
from llmsim.core.upstream.answer import UpstreamAnswer
from llmsim.engine.compose import ModelSettings
from llmsim.engine.overrides import NO_OVERRIDES, ResponseOverrides
from llmsim.engine.plan import failed
from llmsim.providers.provider import Endpoint

UNREAD = Request("", ())
"""The request before it is decoded."""


class EndpointMemory(Protocol):
    """What an endpoint remembers from one request to the next."""

    async def recall(self, request: Request) -> Request:
        """The request with all it builds on. Raises BadRequest for what is not remembered."""
        ...

    async def keep(self, call: Call, plan: Plan, answer: bytes) -> bytes | Plan | None:
        """Put a call that is planned, and its whole answer, where later ones find them. Raises
        BadRequest where that is no longer possible.

        Gives what to send at once where the client comes back for the answer, or the plan to send
        in place of this one; None to send this one.
        """
        ...


class Call(Struct):
    """One call of an endpoint, and what is to be known of it once it is planned.

    ``caller`` is None where nobody waits for the answer (batches), which ``api_key`` then says
    who asked for; ``memory`` where the endpoint remembers nothing. Where the client comes back
    for the answer, and under load, ``replanned`` is told when its first and its last token are
    there (seconds after arrival), if anybody wants to know. ``model`` is the one that answers,
    ``mock`` names the mock or script that decided what is said, ``recording`` the recording that
    is replayed, ``upstream`` is the answer of another service that is passed on, ``rule`` the
    part of the configuration that let it fail, ``override`` what the request says about itself,
    ``held`` is to be settled when the request has ended, ``scope`` is the label of the scope it
    is in, ``hosted`` are the rate-limit headers of the hosted service where none are configured.
    """

    endpoint: Endpoint
    caller: Caller | None
    stamp: Stamp
    body: bytes = b""
    memory: EndpointMemory | None = None
    request: Request = UNREAD
    model: str = ""
    mock: str = ""
    recording: str = ""
    api_key: str = ""
    replanned: Callable[[float, float], None] | None = None
    upstream: UpstreamAnswer | None = None
    held: HeldLimits | None = None
    rule: str = ""
    override: str = ""
    scope: str = ""
    hosted: Headers | None = None

    def key(self) -> str:
        """The API key that the request came with; empty where there is none."""
        if self.caller is None:
            return self.api_key
        return self.endpoint.provider.auth.key(self.caller.header, self.caller.query)

    def refused(self, failure: Failure) -> Plan:
        """The plan of a failure in place of an answer, in the provider's words."""
        return failed(failure, *self.endpoint.errors.failure(failure, self.stamp))


@dataclass(slots=True)
class RequestContext:
    """A decoded request as the steps see it, and what they make of it.

    ``suffix`` is what the client put after the model's name, ``scenario`` what it asks for. Steps
    replace ``request``, ``settings`` and ``overrides``; a later step sees what an earlier one
    decided. ``paced`` says that the latency in ``settings`` was asked for by the request or a mock,
    ``on_miss`` is what a mock says in place of an answer. A step that has the whole answer sets
    ``plan``: the steps after it do not run, and nothing else is planned.
    """

    call: Call
    request: Request
    settings: ModelSettings
    prompt_tokens: int
    suffix: str = ""
    overrides: ResponseOverrides = NO_OVERRIDES
    paced: bool = False
    on_miss: OnMiss | None = None
    plan: Plan | None = None
    scenario: Scenario | None = None


class Step(Protocol):
    """One way to decide about requests. A request that it refuses it raises BadRequest for."""

    async def consider(self, context: RequestContext) -> None:
        """Look at one request, and change what will be planned."""
        ...
