"""From a request to a completion."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from llmsim.core import (
    Choice,
    Completion,
    Finish,
    GeneratedText,
    HostedCallSegment,
    ReasoningSegment,
    RefusalSegment,
    Request,
    Segment,
    TextSegment,
    Tool,
    Usage,
)
from llmsim.core.catalog.distribution import Distribution
from llmsim.core.catalog.models import Model
from llmsim.core.conversation import results
from llmsim.core.errors import BadRequest, Failure, FailureKind, TooLong
from llmsim.core.load.step_cost import Replicas
from llmsim.core.value import Value
from llmsim.engine import answer_size, effort, hosted, sampling, thinking, tools
from llmsim.engine.logprobs import with_logprobs
from llmsim.engine.mocks.rendered import mock_segments
from llmsim.engine.overrides import NO_OVERRIDES, ResponseOverrides
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.text import EMPTY, Brief, TextGenerator, before_stop, pool, recited
from llmsim.engine.timing import Draws
from llmsim.engine.tokens.prompt_cache import MISS, Hit
from llmsim.engine.tokens.tokenizer import Tokenizer

UNBOUNDED = 1 << 40
FEW_TOKENS = 1000
FEW_BYTES = 1 << 20
"""So few tokens are never more bytes than that (a token has at most 128), nor take long."""


class ModelSettings(Value, frozen=True, gc=False):
    """Everything that holds for all requests to one model under the current configuration.

    ``call_rate`` is the probability of a tool call where the model may choose, ``refusal_rate``
    that of ``refusal`` instead of an answer. ``takes_turns`` says that the generator needs the
    request's place in the order of all. ``lengths`` are draws of the tokens an answer has; None
    where all have ``target_tokens``, which is else about their mean. ``may_starve`` lets reasoning
    take all tokens that an answer may have. ``replicas`` are None where load changes nothing.
    """

    model: Model
    tokenizer: Tokenizer
    draws: Draws
    generator: TextGenerator
    target_tokens: int
    call_rate: float = 1.0
    refusal_rate: float = 0.0
    refusal: str = ""
    takes_turns: bool = False
    lengths: Sequence[int] | None = None
    may_starve: bool = False
    replicas: Replicas | None = None


def with_length(settings: ModelSettings, target: int | Distribution) -> ModelSettings:
    """The settings for answers of that many tokens: 1 ms or so for a new distribution."""
    if isinstance(target, int):
        return structs.replace(settings, target_tokens=target, lengths=None)
    mean = round(float(sampling.table(target).mean()))
    lengths = sampling.lengths(target)
    return structs.replace(settings, target_tokens=max(mean, 1), lengths=lengths)


class PlanInputs(Value, frozen=True, gc=False):
    """What the plan of one request depends on, beside the request and its model's settings.

    ``turn`` is the request's place in the order all workers agree on, ``prompt_tokens`` what
    ``engine.tokens.prompt`` counted, ``cached`` what of it the prompt cache held, ``overrides``
    what else was decided. ``most_bytes`` is the most that the answer may have. Who is
    not ``patient`` gets TakesLong raised in place of what takes long.
    """

    seed: int
    turn: int
    prompt_tokens: int
    cached: Hit = MISS
    overrides: ResponseOverrides = NO_OVERRIDES
    most_bytes: int = answer_size.UNBOUNDED
    patient: bool = True


def compose(request: Request, settings: ModelSettings, inputs: PlanInputs) -> Completion:
    """The completion of ``request``.

    Raises BadRequest when prompt and requested output do not fit the context window, when a
    schema can not be satisfied, or when the answer would be too large; and TakesLong.
    """
    room = _room(request, settings, inputs)
    choices: list[Choice] = []
    completion = reasoning = size = 0
    shown = request.thinking is not None and request.thinking.visible
    checked = request.n > 1 or request.logprobs is not None or inputs.most_bytes < FEW_BYTES
    for index in range(request.n):
        seed = mix(inputs.seed, index)
        thought = _thoughts(request, settings, inputs, room, seed)
        choice = _choice(request, settings, inputs, room, thought, seed)
        choices.append(choice)
        if checked or choice.tokens > FEW_TOKENS:
            if len(choices) == 1 and not inputs.patient:
                effort.check(effort.of_choices(choice, request))
            size += answer_size.of_choice(choice, request)
            # The first choices tell how large the others are, before they are made.
            answer_size.check(size * request.n // len(choices), inputs.most_bytes)
        reasoning += thought
        completion += choice.tokens if shown else choice.tokens + thought
    if request.media is not None:
        completion += request.media.tokens * request.n
    cached = inputs.cached
    usage = Usage(
        inputs.prompt_tokens,
        completion,
        reasoning,
        cached.read,
        cached.written,
        cached.written_hour,
    )
    return Completion(tuple(choices), usage)


def _room(request: Request, settings: ModelSettings, inputs: PlanInputs) -> int:
    """The most completion tokens one choice may have."""
    window = settings.model.context_window or UNBOUNDED
    left = window - inputs.prompt_tokens
    if left >= 0 and settings.model.window_is_input:
        left = UNBOUNDED
    if request.max_tokens is None:
        if left > 0:
            return min(left, settings.model.max_output_tokens or UNBOUNDED)
    elif request.max_tokens <= left:
        return request.max_tokens
    raise BadRequest(_too_long(window, inputs.prompt_tokens, request.max_tokens or 0))


def _too_long(window: int, prompt: int, wanted: int) -> Failure:
    if wanted:
        detail = (
            f"you requested {prompt + wanted} tokens ({prompt} in the messages, {wanted} in the "
            "completion). Please reduce the length of the messages or completion."
        )
    else:
        detail = (
            f"your messages resulted in {prompt} tokens. Please reduce the length of the messages."
        )
    message = f"This model's maximum context length is {window} tokens. However, {detail}"
    excess = TooLong(window, prompt, wanted)
    return Failure(FailureKind.CONTEXT_LENGTH, message, "messages", too_long=excess)


def _choice(
    request: Request,
    settings: ModelSettings,
    inputs: PlanInputs,
    room: int,
    thought: int,
    seed: int,
) -> Choice:
    """One alternative: its reasoning if that is shown, then tool calls or text."""
    limit = room - thought
    mock = inputs.overrides.mock
    answering = mock if mock is not None and mock.has_answer else None
    calls: list[Tool] = []
    ran: tuple[HostedCallSegment, ...] = ()
    if request.tools and answering is None and limit > 0:
        calls = tools.chosen(request, settings.call_rate, seed)
        ran = _ran(request, settings, inputs, limit, seed)
        limit -= sum([call.generated.tokens for call in ran])
    stop = None
    if answering is not None:
        brief = _brief(request, seed, inputs, settings, 0, limit)
        segments, finish, stop = mock_segments(answering, brief)
    elif thought and limit <= 0:
        segments, finish = (TextSegment(EMPTY),), Finish.LENGTH
    elif calls:
        if not inputs.patient and not all(map(tools.quick, calls)):
            raise effort.TakesLong
        segments, finish = _calls(calls, request, settings, limit, seed)
    elif settings.refusal_rate and fraction(seed, 30) < settings.refusal_rate:
        generated = settings.tokenizer.text(settings.refusal, pieces=request.stream)
        segments, finish = (RefusalSegment(generated),), Finish.STOP
    else:
        segments, finish, stop = _words(request, settings, inputs, limit, seed)
    if ran:
        segments = (*ran, *hosted.with_citations(segments, ran, request))
    hidden = thought
    if thought and request.thinking is not None and request.thinking.visible:
        segments = (_thought(thought, request, settings, inputs, seed), *segments)
        hidden = 0
    reason = block = None
    if mock is not None:
        finish = mock.finish or (finish if mock.block is None else Finish.FILTER)
        reason, block = mock.reason, mock.block
    tokens = sum([part.generated.tokens for part in segments])
    return Choice(segments, tokens, finish, stop, None, hidden, reason, block)


def _words(
    request: Request, settings: ModelSettings, inputs: PlanInputs, limit: int, seed: int
) -> tuple[tuple[Segment, ...], Finish, str | None]:
    """An answer in words, why it ended, and the stop sequence that ended it if one did."""
    brief = _brief(request, seed, inputs, settings, _target(settings, seed), limit)
    generated, whole = _text(brief, settings)
    hit = before_stop(generated.text, request.stop) if request.stop else None
    if hit is not None:
        generated, _ = recited(hit[0], brief)
    if request.logprobs is not None:
        size = answer_size.of_logprobs(generated.tokens, request)
        answer_size.check(size * request.n, inputs.most_bytes)
        if not inputs.patient:
            effort.check(effort.of_logprobs(generated.tokens, request))
        generated = with_logprobs(generated, request.logprobs, settings.tokenizer, seed)
    finish = Finish.STOP if whole or hit is not None else Finish.LENGTH
    return (TextSegment(generated),), finish, None if hit is None else hit[1]


def _ran(
    request: Request, settings: ModelSettings, inputs: PlanInputs, limit: int, seed: int
) -> tuple[HostedCallSegment, ...]:
    """What the provider itself runs before anything is said, where the limit has room for it."""
    tool = hosted.chosen(request, settings.call_rate, seed)
    if tool is None:
        return ()
    if not inputs.patient and hosted.slow(tool):
        raise effort.TakesLong
    call = hosted.run(tool, request, seed, settings.tokenizer)
    return (call,) if call.generated.tokens < limit else ()


def _target(settings: ModelSettings, seed: int) -> int:
    """How many tokens an answer has that nothing else bounds."""
    lengths = settings.lengths
    return settings.target_tokens if lengths is None else lengths[mix(seed, 20) % len(lengths)]


def _brief(
    request: Request,
    seed: int,
    inputs: PlanInputs,
    settings: ModelSettings,
    target: int,
    limit: int,
) -> Brief:
    return Brief(
        request,
        seed,
        inputs.turn,
        target,
        limit,
        settings.tokenizer,
        request.stream,
        inputs.patient,
    )


def _text(brief: Brief, settings: ModelSettings) -> tuple[GeneratedText, bool]:
    """The text of an answer, and whether it is all there was to say."""
    request = brief.request
    if request.format is not None:
        if not brief.patient and not tools.quick(request.format):
            raise effort.TakesLong
        return recited(tools.document(request.format, brief.seed), brief)
    if len(request.messages) > 1 and results(request.messages):
        return recited(tools.about_results(request.messages), brief)
    return settings.generator.generate(brief)


def _calls(
    calls: list[Tool], request: Request, settings: ModelSettings, limit: int, seed: int
) -> tuple[tuple[Segment, ...], Finish]:
    """The calls that fit, the last one cut short where the limit does so."""
    made: list[Segment] = []
    for index, tool in enumerate(calls):
        called, whole = tools.call(
            tool, mix(seed, 40 + index), limit, settings.tokenizer, request.stream
        )
        made.append(called)
        limit -= called.generated.tokens
        if not whole:
            return tuple(made), Finish.LENGTH
    return tuple(made), Finish.TOOLS


def _thoughts(
    request: Request, settings: ModelSettings, inputs: PlanInputs, room: int, seed: int
) -> int:
    """How many tokens the model thinks: with an answer of a mock, as many as its reasoning has."""
    mock = inputs.overrides.mock
    if mock is None or (mock.reasoning is None and not mock.has_answer):
        return thinking.tokens(request, settings.model, room, seed, settings.may_starve)
    return min(settings.tokenizer.count(mock.reasoning or ""), room)


def _thought(
    tokens: int, request: Request, settings: ModelSettings, inputs: PlanInputs, seed: int
) -> ReasoningSegment:
    brief = _brief(request, mix(seed, 50), inputs, settings, tokens, tokens)
    mock = inputs.overrides.mock
    if mock is not None and mock.reasoning is not None:
        return ReasoningSegment(recited(mock.reasoning, brief)[0])
    generated, _ = pool("random").generate(brief)
    return ReasoningSegment(generated)
