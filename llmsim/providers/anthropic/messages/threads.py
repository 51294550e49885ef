"""Anthropic's message threads: a request that continues one has only the new messages
(``types.beta.beta_message_thread_param`` of anthropic 2.12, a beta that its tool runner uses).

The tools and the system prompt are those of the request that began the thread. Unlike at the
live service a message may be continued more than once.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from llmsim.core import Request
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.providers.anthropic.messages import params
from llmsim.providers.anthropic.messages.blocks import AnyBlock
from llmsim.providers.anthropic.messages.conversation import WireMessage
from llmsim.providers.anthropic.messages.params import Continue, MessagesRequest

NOT_FOUND = "thread_not_found"


class Turn(Struct, frozen=True):
    """The bodies of one request of a thread and of its answer."""

    body: bytes
    answer: bytes


class _Answer(Struct):
    content: list[AnyBlock]


_answer = msgspec.json.Decoder(_Answer)


def previous(wire: MessagesRequest) -> str | None:
    """The id of the message that this request continues; None if it continues none."""
    return wire.thread.previous_message_id if isinstance(wire.thread, Continue) else None


def earlier_request(body: bytes) -> MessagesRequest:
    """The parameters of a request that was answered, from its body."""
    return params.decoded(body)


def continued(wire: MessagesRequest, turns: Sequence[Turn]) -> Request:
    """A request in neutral terms with the turns before it, oldest first. Raises BadRequest."""
    first = earlier_request(turns[0].body)
    messages: list[WireMessage] = []
    for turn in turns:
        messages += earlier_request(turn.body).messages
        messages.append(WireMessage("assistant", list(_answer.decode(turn.answer).content)))
    whole = structs.replace(
        wire,
        system=first.system,
        tools=first.tools,
        messages=[*messages, *wire.messages],
        thread=None,
    )
    return structs.replace(params.whole_request(whole), store=True)


def lost(name: str) -> BadRequest:
    """The exception for a thread that is not stored: clients then send the whole conversation."""
    message = (
        f"No usable Thread state was found for `previous_message_id` {name}. Replay the full "
        'conversation with `thread: {"type": "create"}` to start a new Thread.'
    )
    return BadRequest(Failure(FailureKind.NOT_FOUND, message, "thread", NOT_FOUND))
