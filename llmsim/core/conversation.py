"""A conversation's tool calls and results: whether they fit together, and which are new."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from llmsim.core import Message


class Orphan(Struct, frozen=True):
    """A result that answers no call: the message at ``index``, and the id it names."""

    index: int
    id: str


class Unanswered(Struct, frozen=True):
    """Calls of the message at ``index`` that have no result before the next turn."""

    index: int
    ids: tuple[str, ...]


def mismatch(messages: Sequence[Message]) -> Orphan | Unanswered | None:
    """The first result without its call or call without its result; None if all fit.

    The results of an assistant's calls must follow it at once, in any order. Calls and results
    without an id (OpenAI's old functions) are not tracked.
    """
    asking, open_ids = 0, set[str]()
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.answers and message.answers not in open_ids:
                return Orphan(index, message.answers)
            open_ids.discard(message.answers or "")
            continue
        if open_ids:
            break
        if message.calls:
            asking, open_ids = index, {call.id for call in message.calls if call.id}
    if not open_ids:
        return None
    calls = messages[asking].calls
    return Unanswered(asking, tuple(call.id for call in calls if call.id in open_ids))


def results(messages: Sequence[Message]) -> Sequence[Message]:
    """The tools' results since the model's last message.

    Some clients send more along with them: what the user adds does not hide the results.
    """
    start = len(messages)
    while start and messages[start - 1].role != "assistant":
        start -= 1
    return [message for message in messages[start:] if message.role == "tool"]
