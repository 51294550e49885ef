"""From what was asked to what is said."""

from __future__ import annotations

from msgspec import Struct

from llmsim.catalog import Model
from llmsim.conversation import results
from llmsim.engine import thinking, tools
from llmsim.engine.caching import MISS, Hit
from llmsim.engine.latency import Draws
from llmsim.engine.logprobs import with_logprobs
from llmsim.engine.mocks.spoken import said as mocked
from llmsim.engine.orders import AS_ASKED, Orders
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.text import Brief, Generator, before_stop, pool, recited
from llmsim.engine.tokens import Tokenizer
from llmsim.errors import BadRequest, Failure, Kind, TooLong
from llmsim.exchange import (
    Ask,
    Choice,
    Finish,
    Refused,
    Reply,
    Said,
    Segment,
    Text,
    Thought,
    Tool,
    Usage,
)

UNBOUNDED = 1 << 40


class Rules(Struct, frozen=True):
    """Everything that holds for all requests to one model under the current configuration.

    ``call_rate`` is the probability of a tool call where the model may choose, ``refusal_rate``
    that of ``refusal`` instead of an answer. ``takes_turns`` says that the generator needs the
    request's place in the order of all.
    """

    model: Model
    tokenizer: Tokenizer
    draws: Draws
    generator: Generator
    target_tokens: int
    call_rate: float = 1.0
    refusal_rate: float = 0.0
    refusal: str = ""
    takes_turns: bool = False


class Draw(Struct, frozen=True, gc=False):
    """What was read or drawn for one request before it is planned.

    ``turn`` is the request's place in the order all workers agree on, ``prompt_tokens`` what
    ``engine.prompt`` counted, ``cached`` what of it the prompt cache held, ``orders`` what else
    was decided.
    """

    seed: int
    turn: int
    prompt_tokens: int
    cached: Hit = MISS
    orders: Orders = AS_ASKED


def compose(ask: Ask, rules: Rules, draw: Draw) -> Reply:
    """All that is said in answer to ``ask``.

    Raises BadRequest when prompt and requested output do not fit the context window, or when a
    schema can not be satisfied.
    """
    room = _room(ask, rules, draw)
    choices = []
    completion = reasoning = 0
    shown = ask.thinking is not None and ask.thinking.visible
    for index in range(ask.n):
        seed = mix(draw.seed, index)
        thought = _thoughts(ask, rules, draw, room, seed)
        choice = _choice(ask, rules, draw, room, thought, seed)
        choices.append(choice)
        reasoning += thought
        completion += choice.tokens if shown else choice.tokens + thought
    cached = draw.cached
    usage = Usage(
        draw.prompt_tokens,
        completion,
        reasoning,
        cached.read,
        cached.written,
        cached.written_hour,
    )
    return Reply(tuple(choices), usage)


def _room(ask: Ask, rules: Rules, draw: Draw) -> int:
    """The most completion tokens one choice may have."""
    window = rules.model.context_window or UNBOUNDED
    left = window - draw.prompt_tokens
    if left >= 0 and rules.model.window_is_input:
        left = UNBOUNDED
    if ask.max_tokens is None:
        if left > 0:
            return min(left, rules.model.max_output_tokens or UNBOUNDED)
    elif ask.max_tokens <= left:
        return ask.max_tokens
    raise BadRequest(_too_long(window, draw.prompt_tokens, ask.max_tokens or 0))


def _too_long(window: int, prompt: int, wanted: int) -> Failure:
    if wanted:
        said = (
            f"you requested {prompt + wanted} tokens ({prompt} in the messages, {wanted} in the "
            "completion). Please reduce the length of the messages or completion."
        )
    else:
        said = (
            f"your messages resulted in {prompt} tokens. Please reduce the length of the messages."
        )
    message = f"This model's maximum context length is {window} tokens. However, {said}"
    excess = TooLong(window, prompt, wanted)
    return Failure(Kind.CONTEXT_LENGTH, message, "messages", too_long=excess)


def _choice(ask: Ask, rules: Rules, draw: Draw, room: int, thought: int, seed: int) -> Choice:
    """One alternative: thoughts if they are shown, then tool calls or words."""
    limit = room - thought
    mock = draw.orders.mock
    speaks = mock is not None and mock.speaks
    calls = tools.chosen(ask, rules.call_rate, seed) if ask.tools and not speaks else []
    stop = None
    if mock is not None and speaks:
        brief = Brief(ask, seed, draw.turn, 0, limit, rules.tokenizer, ask.stream)
        said, finish, stop = mocked(mock, brief)
    elif calls:
        said, finish = _calls(calls, ask, rules, limit, seed)
    elif rules.refusal_rate and fraction(seed, 30) < rules.refusal_rate:
        words = rules.tokenizer.text(rules.refusal, pieces=ask.stream)
        said, finish = (Refused(words),), Finish.STOP
    else:
        brief = Brief(ask, seed, draw.turn, rules.target_tokens, limit, rules.tokenizer, ask.stream)
        words, whole = _words(brief, rules)
        hit = before_stop(words.text, ask.stop) if ask.stop else None
        if hit is not None:
            before, stop = hit
            words, _ = recited(before, brief)
        if ask.logprobs is not None:
            words = with_logprobs(words, ask.logprobs, rules.tokenizer, seed)
        said = (Said(words),)
        finish = Finish.STOP if whole or stop is not None else Finish.LENGTH
    if thought and ask.thinking is not None and ask.thinking.visible:
        said = (_thought(thought, ask, rules, draw, seed), *said)
    if mock is not None and mock.finish is not None:
        finish = mock.finish
    return Choice(said, sum([part.words.tokens for part in said]), finish, stop)


def _words(brief: Brief, rules: Rules) -> tuple[Text, bool]:
    """The text of an answer, and whether it is all there was to say."""
    ask = brief.ask
    if ask.format is not None:
        return recited(tools.document(ask.format, brief.seed), brief)
    if len(ask.messages) > 1 and results(ask.messages):
        return recited(tools.about_results(ask.messages), brief)
    return rules.generator.speak(brief)


def _calls(
    calls: list[Tool], ask: Ask, rules: Rules, limit: int, seed: int
) -> tuple[tuple[Segment, ...], Finish]:
    """The calls that fit, the last one cut short where the limit does so."""
    made: list[Segment] = []
    for place, tool in enumerate(calls):
        called, whole = tools.call(tool, mix(seed, 40 + place), limit, rules.tokenizer, ask.stream)
        made.append(called)
        limit -= called.words.tokens
        if not whole:
            return tuple(made), Finish.LENGTH
    return tuple(made), Finish.TOOLS


def _thoughts(ask: Ask, rules: Rules, draw: Draw, room: int, seed: int) -> int:
    """How many tokens the model thinks. One whose words are given thinks what it is told to."""
    mock = draw.orders.mock
    if mock is None or (mock.reasoning is None and not mock.speaks):
        return thinking.tokens(ask, rules.model, room, seed)
    return min(rules.tokenizer.count(mock.reasoning or ""), room)


def _thought(tokens: int, ask: Ask, rules: Rules, draw: Draw, seed: int) -> Thought:
    brief = Brief(ask, mix(seed, 50), 0, tokens, tokens, rules.tokenizer, ask.stream)
    mock = draw.orders.mock
    if mock is not None and mock.reasoning is not None:
        return Thought(recited(mock.reasoning, brief)[0])
    words, _ = pool("random").speak(brief)
    return Thought(words)
