"""Which task answers a request that is no chat."""

from __future__ import annotations

from typing import assert_never

from llmsim.core import (
    Choice,
    Complete,
    Completion,
    Count,
    Embed,
    Embeddings,
    Finish,
    Moderate,
    Paint,
    Request,
    Task,
    TokenCount,
    Usage,
    Verdicts,
)
from llmsim.core.errors import BadRequest, Failure, FailureKind, TooLong, invalid
from llmsim.engine import answer_size
from llmsim.engine.compose import ModelSettings, PlanInputs
from llmsim.engine.tasks.completions import complete
from llmsim.engine.tasks.embeddings import SPACE, vector
from llmsim.engine.tasks.images import paint
from llmsim.engine.tasks.moderations import verdict
from llmsim.engine.tokens import prompt, prompt_bounds

DIMENSIONS = 1536
"""How wide the embeddings of a model are that the catalogue does not know."""

# The clock of what is made at once: one beat.
AT_ONCE = (Choice((), 0, Finish.STOP),)

# What is quick enough to be done on an event loop: about a millisecond.
QUICK_TEXTS = 8
QUICK_CHARACTERS = 8_000


def perform(
    request: Request, task: Task, settings: ModelSettings, inputs: PlanInputs
) -> Completion:
    """The completion of a task. Raises BadRequest where the request asks for the impossible."""
    answer_size.check(answer_size.of_task(request, task, _width(task, settings)), inputs.most_bytes)
    match task:
        case Complete():
            return complete(request, task, settings, inputs)
        case Embed():
            return _embedded(request, task, settings, inputs)
        case Moderate():
            verdicts = Verdicts(tuple(map(verdict, request.messages)))
            return Completion(AT_ONCE, Usage(inputs.prompt_tokens, 0), verdicts)
        case Paint():
            return paint(request, task, inputs)
        case Count():
            return Completion((), Usage(0, 0), TokenCount(inputs.prompt_tokens))
        case _:
            assert_never(task)


def lengthy(request: Request, task: Task) -> bool:
    """Whether making it would keep others waiting."""
    if isinstance(task, Paint):
        return not task.linked
    texts = len(request.messages) * request.n
    return texts > QUICK_TEXTS or sum(len(one.text) for one in request.messages) > QUICK_CHARACTERS


def _embedded(
    request: Request, task: Embed, settings: ModelSettings, inputs: PlanInputs
) -> Completion:
    model = settings.model
    widest = model.dimensions or SPACE
    width = _width(task, settings)
    if width > widest:
        raise invalid(
            f"Invalid value for 'dimensions' = {width}. Must be less than or equal to {widest}.",
            "dimensions",
        )
    _check(request, task, settings, inputs)
    texts = (prompt.text(message, settings.tokenizer) for message in request.messages)
    made = Embeddings(tuple(vector(text, width) for text in texts))
    return Completion(AT_ONCE, Usage(inputs.prompt_tokens, 0), made)


def _width(task: Task, settings: ModelSettings) -> int:
    """How wide the vectors are that are asked for; 0 for another task."""
    if not isinstance(task, Embed):
        return 0
    return task.dimensions or settings.model.dimensions or DIMENSIONS


def _check(request: Request, task: Embed, settings: ModelSettings, inputs: PlanInputs) -> None:
    """Raises BadRequest where a message, or all of them together, are too long."""
    if task.most is not None and inputs.prompt_tokens > task.most:
        detail = (
            f"Invalid 'input': maximum request size is {task.most} tokens per request, but "
            f"{inputs.prompt_tokens} were requested."
        )
        raise invalid(detail, "input", "max_tokens_per_request")
    window = settings.model.context_window
    if inputs.prompt_tokens <= window or not window:
        return
    for message in request.messages:
        count = prompt_bounds.alone(message, settings.tokenizer, window)
        if count > window:
            detail = (
                f"This model's maximum context length is {window} tokens, however you requested "
                f"{count} tokens ({count} in your prompt; 0 for the completion). Please reduce "
                "your prompt; or completion length."
            )
            excess = TooLong(window, count, 0)
            raise BadRequest(Failure(FailureKind.CONTEXT_LENGTH, detail, None, too_long=excess))
