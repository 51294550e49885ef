"""Which of its responses a mock or a script is at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from llmsim.core import Request
from llmsim.core.mocks.mock import OnExhausted
from llmsim.core.mocks.response import MockResponse


def at(speeches: Sequence[MockResponse], place: int, exhausted: OnExhausted) -> MockResponse | None:
    """The response to the request at that place in the order of all; None past the last, where
    that is an error."""
    if place < len(speeches):
        return speeches[place]
    if exhausted == "loop":
        return speeches[place % len(speeches)]
    return speeches[-1] if exhausted == "repeat_last" else None


def turn(
    speeches: Sequence[MockResponse],
    answered: int,
    exhausted: OnExhausted,
    fresh: Callable[[str], bool],
) -> MockResponse | None:
    """The response to a conversation that was answered so often before; None past the last, where
    that is an error.

    An answer is the conversation's from then on, so its turn follows from the request alone, and
    a request that is sent again gets the same. An error leaves nothing in the conversation: it
    is answered once, to the first request that gets there, and the next one gets what follows.
    ``fresh`` says of such a place in the script whether nobody was there before.
    """
    answers = [place for place, one in enumerate(speeches) if one.error is None]
    rounds = 0
    if exhausted == "loop" and answers:
        rounds, answered = divmod(answered, len(answers))
    past = answered >= len(answers)
    before = answers[answered - 1] + 1 if answered and not past else 0
    if past and answers:
        before = answers[-1] + 1
    end = len(speeches) if past else answers[answered]
    errors = list(range(before, end))
    if rounds and not answered:  # what follows the last answer comes before the first one again
        errors = [*range(answers[-1] + 1, len(speeches)), *errors]
    for place in errors:
        if fresh(f"{rounds} {place}"):
            return speeches[place]
    if not past:
        return speeches[end]
    return speeches[-1] if exhausted == "repeat_last" else None


def conversation(request: Request, key: str) -> str:
    """What tells a conversation from others: who has it, and how the user began it.

    The system's message is no part of that: clients change it from one request to the next, or
    need not repeat it.
    """
    first = next((one for one in request.messages if one.role == "user"), None)
    text = "" if first is None else first.text
    made = blake2b(f"{len(key)} {key} {text}".encode(errors="surrogatepass"), digest_size=16)
    return made.hexdigest()
