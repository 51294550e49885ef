"""How many bytes an answer has, before it is made.

A request of a hundred bytes can ask for gigabytes: 128 choices of 16,000 tokens, each with the 20
likeliest in its place. What an answer has is known from its tokens, which cost next to nothing to
choose, so one that is too large is refused before it is written.

Bytes are estimated from above: text is counted as it is, and a token, a frame and a number as the
widest of those that providers write. What is sent several times of one stream (the closing events
of ``/v1/responses``) is held once, and counted so.
"""

from __future__ import annotations

from typing import Final

from llmsim.core import (
    Choice,
    Embed,
    HostedCallSegment,
    Moderate,
    Paint,
    Request,
    Segment,
    Task,
)
from llmsim.core.errors import BadRequest, Failure, FailureKind

UNBOUNDED: Final = 1 << 62
TOO_LARGE: Final = "answer_too_large"
"""The code of the failure."""

LOGPROB: Final = 80
"""Bytes of a token's log probability: its text, its bytes, the number."""
FRAME: Final = 360
"""Bytes of what is around a piece of text in a stream."""
CHOICE: Final = 400
"""Bytes of what is around a part of a choice."""
ANSWER: Final = 4000
"""Bytes of what is around the choices."""
NUMBER: Final = 13
"""Bytes of a component of a vector."""
VERDICT: Final = 1600
"""Bytes of the moderation of one text."""
PIXEL: Final = 120
"""Hundredths of a byte of a picture's pixel, compressed and in base64."""
UNFINISHED: Final = 20
"""The same for an unfinished version."""


def check(size: int, most: int) -> None:
    """Raises BadRequest for an answer of more than ``most`` bytes, ``size`` of which are its
    choices'."""
    size += ANSWER
    if size > most:
        message = (
            f"The answer to this request would be about {size} bytes long, which is more than the "
            f"{most} bytes allowed (server.max_answer_bytes). Please ask for less."
        )
        raise BadRequest(Failure(FailureKind.INVALID, message, code=TOO_LARGE))


def of_logprobs(tokens: int, request: Request) -> int:
    """Bytes of the log probabilities of that many tokens; 0 if none are wanted."""
    return 0 if request.logprobs is None else tokens * LOGPROB * (1 + request.logprobs)


def of_choice(choice: Choice, request: Request) -> int:
    """Bytes of a choice: of what it says, and of its frames where it is streamed."""
    size = CHOICE + sum(map(_of_segment, choice.segments)) + of_logprobs(choice.tokens, request)
    if request.media is not None:
        size += request.media.size + request.media.token_size * choice.tokens
    return 2 * size + choice.beats * FRAME if request.stream else size


def _of_segment(segment: Segment) -> int:
    # A character is up to 6 bytes long in JSON; those that are, are rare in what is generated.
    size = segment.generated.characters + CHOICE
    if isinstance(segment, HostedCallSegment):
        found = sum(len(source.text) + CHOICE for source in segment.sources)
        size += found + len(segment.output) + 2 * sum(map(len, segment.versions))
    return size


def of_task(request: Request, task: Task, width: int) -> int:
    """Bytes of a task's result, as far as they follow from the request; ``width`` is that of the
    vectors."""
    texts = len(request.messages)
    match task:
        case Embed():
            return texts * width * NUMBER
        case Moderate():
            return texts * VERDICT
        case Paint(canvas=canvas, linked=False):
            pixels = canvas.width * canvas.height
            return request.n * (pixels * PIXEL + task.partial * pixels * UNFINISHED) // 100
        case _:
            return 0
