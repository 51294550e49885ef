"""Asks for something else than a chat's next words."""

from __future__ import annotations

from typing import assert_never

from llmsim.engine import prompt
from llmsim.engine.answer import Draw, Rules
from llmsim.engine.completion import complete
from llmsim.engine.embedding import SPACE, vector
from llmsim.engine.moderation import verdict
from llmsim.engine.picture import paint
from llmsim.errors import BadRequest, Failure, Kind, TooLong, invalid
from llmsim.exchange import (
    Ask,
    Choice,
    Complete,
    Count,
    Counted,
    Embed,
    Embeddings,
    Finish,
    Moderate,
    Paint,
    Reply,
    Task,
    Usage,
    Verdicts,
)

DIMENSIONS = 1536
"""How wide the embeddings of a model are that the catalogue does not know."""

# The clock of what is made at once: one beat.
AT_ONCE = (Choice((), 0, Finish.STOP),)

# What is quick enough to be done on an event loop: about a millisecond.
QUICK_TEXTS = 8
QUICK_CHARACTERS = 8_000


def perform(ask: Ask, task: Task, rules: Rules, draw: Draw) -> Reply:
    """What is made in answer to ``ask``. Raises BadRequest where it asks for the impossible."""
    match task:
        case Complete():
            return complete(ask, task, rules, draw)
        case Embed():
            return _embedded(ask, task, rules, draw)
        case Moderate():
            verdicts = Verdicts(tuple(map(verdict, ask.messages)))
            return Reply(AT_ONCE, Usage(draw.prompt_tokens, 0), verdicts)
        case Paint():
            return paint(ask, task, draw)
        case Count():
            return Reply((), Usage(0, 0), Counted(draw.prompt_tokens))
        case _:
            assert_never(task)


def lengthy(ask: Ask, task: Task) -> bool:
    """Whether making it would keep others waiting."""
    if isinstance(task, Paint):
        return not task.linked
    texts = len(ask.messages) * ask.n
    return texts > QUICK_TEXTS or sum(len(one.text) for one in ask.messages) > QUICK_CHARACTERS


def _embedded(ask: Ask, task: Embed, rules: Rules, draw: Draw) -> Reply:
    model = rules.model
    widest = model.dimensions or SPACE
    width = task.dimensions or model.dimensions or DIMENSIONS
    if width > widest:
        raise invalid(
            f"Invalid value for 'dimensions' = {width}. Must be less than or equal to {widest}.",
            "dimensions",
        )
    _check(ask, task, rules, draw)
    said = (prompt.text(message, rules.tokenizer) for message in ask.messages)
    made = Embeddings(tuple(vector(text, width) for text in said))
    return Reply(AT_ONCE, Usage(draw.prompt_tokens, 0), made)


def _check(ask: Ask, task: Embed, rules: Rules, draw: Draw) -> None:
    """Raises BadRequest where a message, or all of them together, are too long."""
    if task.most is not None and draw.prompt_tokens > task.most:
        said = (
            f"Invalid 'input': maximum request size is {task.most} tokens per request, but "
            f"{draw.prompt_tokens} were requested."
        )
        raise invalid(said, "input", "max_tokens_per_request")
    window = rules.model.context_window
    if draw.prompt_tokens <= window or not window:
        return
    for message in ask.messages:
        count = prompt.alone(message, rules.tokenizer)
        if count > window:
            said = (
                f"This model's maximum context length is {window} tokens, however you requested "
                f"{count} tokens ({count} in your prompt; 0 for the completion). Please reduce "
                "your prompt; or completion length."
            )
            excess = TooLong(window, count, 0)
            raise BadRequest(Failure(Kind.CONTEXT_LENGTH, said, None, too_long=excess))
