"""How long planning takes. What takes longer than about a millisecond is not done on an event loop:
it is begun there, and given up once it is known to be more (:class:`TakesLong`)."""

from __future__ import annotations

from typing import Final

from llmsim.core import Choice, Completion, Request

QUICK: Final = 1_000_000
"""Nanoseconds that are no trouble to others."""

# Nanoseconds: a choice; a token of it, plain, streamed, and streamed beside other choices; its log
# probability, and each alternative to it.
CHOICE: Final = 5_000
PLAIN: Final = 5
STREAMED: Final = 60
BESIDE: Final = 200
LOGPROB: Final = 2_500
WRITTEN: Final = 100
"""A token of a text that is written once more."""

RECITED: Final = 3_000
"""Characters of a text that are tokenised in that time, with their pieces."""


class TakesLong(Exception):  # noqa: N818  an answer to a question, not a fault
    """Planning would keep others waiting."""


def check(nanoseconds: int) -> None:
    """Raises TakesLong for more than is no trouble."""
    if nanoseconds > QUICK:
        raise TakesLong


def of_choices(choice: Choice, request: Request) -> int:
    """Nanoseconds that it takes to write such choices, as many as the request wants."""
    if not request.stream:
        return request.n * (CHOICE + PLAIN * choice.tokens)
    beside = BESIDE if request.n > 1 else 0
    return request.n * (CHOICE + (STREAMED + beside) * choice.tokens)


def of_whole(completion: Completion, request: Request) -> int:
    """Nanoseconds that it takes to write a completion whole, once more."""
    tokens = sum(choice.tokens for choice in completion.choices)
    alternatives = 0 if request.logprobs is None else LOGPROB * (1 + request.logprobs)
    return len(completion.choices) * CHOICE + tokens * (WRITTEN + alternatives)


def of_logprobs(tokens: int, request: Request) -> int:
    """Nanoseconds that the log probabilities of choices of so many tokens take."""
    return 0 if request.logprobs is None else request.n * tokens * LOGPROB * (1 + request.logprobs)
