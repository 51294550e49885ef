"""From what was asked to what is said."""

from __future__ import annotations

from msgspec import Struct

from llmsim.catalog import Model
from llmsim.engine.logprobs import logprobs
from llmsim.engine.seeds import mix
from llmsim.engine.text import Brief, Generator, before_stop
from llmsim.engine.tokens import Tokenizer
from llmsim.errors import BadRequest, Failure, Kind
from llmsim.exchange import Ask, Choice, Effort, Finish, Reply, Said, Text, Usage
from llmsim.profiles import LatencyProfile

# Reasoning tokens at each effort: the least, and how many steps of 64 may come on top. Real
# models report multiples of 64 and rise about so; the exact numbers are our own.
REASONING: dict[Effort, tuple[int, int]] = {
    "none": (0, 1),
    "minimal": (0, 1),
    "low": (64, 3),
    "medium": (192, 6),
    "high": (576, 12),
    "xhigh": (1152, 24),
}
STEP = 64


class Rules(Struct, frozen=True):
    """Everything that holds for all requests to one model under the current configuration."""

    model: Model
    tokenizer: Tokenizer
    profile: LatencyProfile
    generator: Generator
    target_tokens: int


class Draw(Struct, frozen=True, gc=False):
    """What was read or drawn for one request before it is planned.

    ``turn`` is the request's place in the order all workers agree on, ``prompt_tokens`` what
    ``engine.prompt`` counted.
    """

    seed: int
    turn: int
    prompt_tokens: int


def effort_of(ask: Ask, rules: Rules) -> Effort:
    """How hard the model thinks about this request; "none" for one that cannot reason."""
    if not rules.model.reasoning:
        return "none"
    return ask.thinking.effort if ask.thinking is not None else "medium"


def compose(ask: Ask, rules: Rules, draw: Draw) -> Reply:
    """All that is said in answer to ``ask``.

    Raises BadRequest when prompt and requested output do not fit the context window.
    """
    limit = _room(ask, rules, draw)
    choices = []
    completion = reasoning = 0
    for index in range(ask.n):
        seed = mix(draw.seed, index)
        thought = _reasoning_tokens(ask, rules, limit, seed)
        choice = _choice(ask, rules, draw, limit - thought, seed)
        choices.append(choice)
        reasoning += thought
        completion += thought + choice.tokens
    return Reply(tuple(choices), Usage(draw.prompt_tokens, completion, reasoning))


def _room(ask: Ask, rules: Rules, draw: Draw) -> int:
    """The most completion tokens one choice may have."""
    window = rules.model.context_window
    left = window - draw.prompt_tokens
    wanted = ask.max_tokens if ask.max_tokens is not None else 0
    if left < wanted or left <= 0:
        raise BadRequest(_too_long(window, draw.prompt_tokens, wanted))
    return min(left, rules.model.max_output_tokens) if ask.max_tokens is None else wanted


def _too_long(window: int, prompt: int, wanted: int) -> Failure:
    split = f" ({prompt} in the messages, {wanted} in the completion)" if wanted else ""
    message = (
        f"This model's maximum context length is {window} tokens. However, your messages "
        f"resulted in {prompt} tokens. Please reduce the length of the messages."
        if not wanted
        else f"This model's maximum context length is {window} tokens. However, you requested "
        f"{prompt + wanted} tokens{split}. Please reduce the length of the messages or completion."
    )
    return Failure(Kind.CONTEXT_LENGTH, message, "messages")


def _reasoning_tokens(ask: Ask, rules: Rules, limit: int, seed: int) -> int:
    """Hidden thinking, never more than half of what the client allows."""
    if not rules.model.reasoning:
        return 0
    least, steps = REASONING[effort_of(ask, rules)]
    drawn = least + STEP * (mix(seed, 7) % steps)
    if ask.thinking is not None and ask.thinking.budget is not None:
        drawn = min(drawn, ask.thinking.budget)
    return min(drawn, limit // 2)


def _choice(ask: Ask, rules: Rules, draw: Draw, limit: int, seed: int) -> Choice:
    brief = Brief(ask, seed, draw.turn, rules.target_tokens, limit, rules.tokenizer, ask.stream)
    words, whole = rules.generator.speak(brief)
    hit = before_stop(words.text, ask.stop) if ask.stop else None
    if hit is not None:
        words = rules.tokenizer.text(hit[0], pieces=ask.stream)
    if ask.logprobs is not None:
        words = _with_logprobs(words, ask.logprobs, rules.tokenizer, seed)
    finish = Finish.STOP if whole or hit is not None else Finish.LENGTH
    return Choice((Said(words),), finish, hit[1] if hit is not None else None)


def _with_logprobs(words: Text, top: int, tokenizer: Tokenizer, seed: int) -> Text:
    entries = logprobs(tokenizer.encode(words.text), top, seed)
    return Text(words.text, words.tokens, words.pieces, words.ends, entries)
