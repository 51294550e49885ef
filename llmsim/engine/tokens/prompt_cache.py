"""Prompt caching: which beginnings of a prompt can be cached, and what a hit is worth.

Anthropic's guide to prompt caching: a client sets up to four breakpoints, and what is before one
is kept if it is long enough; a later prompt that begins with it pays less for it and is answered
sooner. A hit is looked for at the ends of the 20 blocks before a breakpoint, too. OpenAI's guide:
every prompt of 1024 tokens and more is cached without being asked, in steps of 128 tokens.

Here a prompt can be cut at the end of each message and at each breakpoint, and where it is cached
of its own accord also at every 128 tokens of a message. The rule for time:
the time to first token is shortened in proportion to what of the prompt was cached; a prompt
that is all cached takes a fifth of it (OpenAI: "up to 80 %").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from zlib import crc32

from llmsim.core import Breakpoint, Message, Request, Usage
from llmsim.core.catalog.models import Model
from llmsim.core.catalog.prompt_rules import prompt_rules
from llmsim.core.codec import dumps
from llmsim.core.value import Value
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.tokenizer import STEP, Tokenizer

LEAST = 1024
"""The least that any model caches."""
MOST_STEPS = 512
"""Prefixes that are kept of one message."""
LOOKBACK = 20
AUTOMATIC = 300  # seconds; OpenAI keeps a prefix for 5 to 10 minutes
SAVED = 0.8

# Texts up to this long are digested once and remembered, longer ones each time.
REMEMBERED_CHARACTERS = 2048

_MASK = 0xFFFFFFFFFFFFFFFF
_ROLES = {"system": 1, "user": 2, "assistant": 3, "tool": 4}


class Prefix(Value, frozen=True, gc=False):
    """A beginning of a prompt: what tells it from any other (64 bits), its length, and for how
    many seconds it is kept. One that is not ``kept`` is only looked for."""

    key: int
    tokens: int
    ttl: int
    kept: bool = True


class Hit(Value, frozen=True, gc=False):
    """How many tokens of a prompt were found in the cache, how many were put there, and how many
    of these for an hour."""

    read: int = 0
    written: int = 0
    written_hour: int = 0


MISS = Hit()


def cacheable(request: Request) -> bool:
    """Whether anything of this prompt may be cached if it is long enough."""
    return request.breakpoints != () and request.task is None


def prefixes(
    request: Request, model: Model, tokenizer: Tokenizer, prompt_tokens: int
) -> Iterable[Prefix]:
    """The prefixes of this prompt that the cache may hold, longest first."""
    if request.breakpoints is None:
        return _every(request, model, tokenizer, prompt_tokens)
    least = prompt_rules(model.id).least_cached
    ends = _ends(request, model, tokenizer)
    index_of = {end.at: index for index, end in enumerate(ends)}
    found: dict[int, Prefix] = {}
    for point in request.breakpoints:
        index = index_of[point.message, point.end]
        for end in ends[max(0, index - LOOKBACK) : index]:
            found.setdefault(end.key, Prefix(end.key, end.tokens, point.ttl, False))
        found[ends[index].key] = Prefix(ends[index].key, ends[index].tokens, point.ttl)
    chosen = [prefix for prefix in found.values() if prefix.tokens >= least]
    return sorted(chosen, key=lambda prefix: prefix.tokens, reverse=True)


def hit(request: Request, prompt_tokens: int, read: Prefix | None, new: Sequence[Prefix]) -> Hit:
    """What the cache did for a prompt: ``read`` is the longest prefix it held, ``new`` are the
    longer ones it keeps from now on, longest first."""
    found = read.tokens if read is not None else 0
    if request.breakpoints is None:
        return Hit(min(found, prompt_tokens - 1) // STEP * STEP)
    written = new[0].tokens - found if new else 0
    hour = next((one.tokens - found for one in new if one.ttl > AUTOMATIC), 0)
    return Hit(found, written, hour)


def scale(used: Usage) -> float:
    """The factor on the time to first token."""
    return 1.0 - SAVED * used.cached / used.prompt


def _every(
    request: Request, model: Model, tokenizer: Tokenizer, prompt_tokens: int
) -> Iterator[Prefix]:
    """A prefix for each message that ends beyond :data:`LEAST` tokens, and for each step within
    it."""
    key = _head(request, model)
    keys = [key]
    for message in request.messages:
        keys.append(_after(keys[-1], message))
    end = prompt_tokens - prompt.PRIMING
    for index in range(len(keys) - 2, -1, -1):
        if end < LEAST:
            return
        yield Prefix(keys[index + 1] & _MASK, end, AUTOMATIC)
        message = request.messages[index]
        begin = end - prompt.message(message, tokenizer, model.id)
        text = end - tokenizer.count(message.text)  # files are taken to come before it
        yield from _within(message, keys[index], text, tokenizer)
        end = begin


def _within(message: Message, key: int, begin: int, tokenizer: Tokenizer) -> Iterator[Prefix]:
    """A prefix for each :data:`STEP` tokens of a long text, which begins after so many; wider steps
    for a very long one."""
    ends = tokenizer.steps(message.text)
    if not ends or begin + STEP * len(ends) < LEAST:
        return
    wide = -(-len(ends) // MOST_STEPS)
    content = memoryview(message.text.encode(errors="replace"))
    name = crc32((message.name or "").encode(errors="replace"))
    found: list[Prefix] = []
    start = digest = 0
    for number in range(wide, len(ends) + 1, wide):
        digest = crc32(content[start : ends[number - 1]], digest)
        start = ends[number - 1]
        tokens = begin + STEP * number
        if tokens >= LEAST:
            within = hash((key, digest, _ROLES[message.role], message.mark, name, number))
            found.append(Prefix(within & _MASK, tokens, AUTOMATIC))
    yield from reversed(found)


class _End(Value, frozen=True, gc=False):
    """A place where the prompt can be cut, as a breakpoint names it."""

    at: tuple[int, int | None]
    key: int
    tokens: int


def _ends(request: Request, model: Model, tokenizer: Tokenizer) -> list[_End]:
    """Every place where the prompt can be cut, first to last."""
    tokens = prompt.tools(request, tokenizer.count)
    key = _head(request, model)
    ends = [_End((-1, None), key & _MASK, tokens)]
    for index, message in enumerate(request.messages):
        ends += [
            _cut(point, message, key, tokens, tokenizer, model)
            for point in request.breakpoints or ()
            if point.message == index and point.end is not None
        ]
        key = _after(key, message)
        tokens += prompt.message(message, tokenizer, model.id)
        ends.append(_End((index, None), key & _MASK, tokens))
    return ends


def _cut(
    point: Breakpoint,
    message: Message,
    key: int,
    before: int,
    tokenizer: Tokenizer,
    model: Model,
) -> _End:
    """The end of a block within a message, whose files are taken to come before its text."""
    text = message.text[: point.end]
    rest = prompt.message(message, tokenizer, model.id) - tokenizer.count(message.text)
    tokens = before + rest + tokenizer.count(text)
    key = hash((key, crc32(text.encode()), _ROLES[message.role], message.mark))
    return _End((point.message, point.end), key & _MASK, tokens)


def _head(request: Request, model: Model) -> int:
    """The key of what comes before the first message."""
    content = model.id.encode()
    if request.tools or request.format is not None:
        tools = [(tool.name, tool.description, tool.schema) for tool in request.tools]
        content = dumps((model.id, tools, request.format and request.format.schema))
    return crc32(content)


def _after(key: int, message: Message) -> int:
    """The key of a prefix and one more message: any 64-bit integer.

    Python's own hash of integers, unlike that of strings, is the same in every process.
    """
    text = message.text
    digest = _digest(text) if len(text) <= REMEMBERED_CHARACTERS else crc32(text.encode())
    key = hash((key, digest, _ROLES[message.role]))
    if message.name or message.calls or message.mark or message.tokens:
        calls = [(call.name, call.arguments) for call in message.calls]
        rest = dumps((message.name, calls, message.mark, message.tokens))
        key = hash((key, crc32(rest)))
    return key


@lru_cache(maxsize=1 << 14)
def _digest(text: str) -> int:
    return crc32(text.encode())
