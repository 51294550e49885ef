"""The prompt cache at work: a clock that stands still, and two workers' views of one table."""

import asyncio

import pytest

from llmsim.core import Breakpoint, Message, Request
from llmsim.engine.tokens import prompt, prompt_cache
from llmsim.engine.tokens.prompt_cache import Hit
from llmsim.pipeline.prompt_cache import PromptCache
from llmsim.state.memory import inline
from llmsim.state.shm import prompt_prefixes
from llmsim.state.shm.prompt_prefixes import ExpiringPrefixes, PrefixTable
from llmsim.state.shm.segment import Segment, Shape
from tests.engine.asking import settings

RULES = settings("claude-sonnet-4-6")
LONG = "lorem ipsum " * 1000
HI = Message("user", "hi")


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def segment() -> Segment:
    return Segment.create(Shape(1, 4096, 4096, prompt_prefixes.SIZE))


def request(*messages: Message, points: tuple[Breakpoint, ...] | None = None) -> Request:
    return Request("claude-sonnet-4-6", messages, breakpoints=points)


def prompt_cache_of(segment: Segment, clock: Clock) -> PromptCache:
    return PromptCache(ExpiringPrefixes(PrefixTable(segment.prefixes()), clock), inline)


def look(cache: PromptCache, given: Request, key: str = "") -> Hit:
    total = prompt.tokens(given, RULES.tokenizer)
    return asyncio.run(cache.lookup(given, RULES, total, key))


def tokens(message: Message) -> int:
    return prompt.message(message, RULES.tokenizer)


CONTEXT = Message("system", LONG)
POINT = (Breakpoint(0, None, 300),)
HOUR = (Breakpoint(0, None, 3600),)


def test_written_once_and_read_by_every_worker(clock: Clock, segment: Segment) -> None:
    one, other = prompt_cache_of(segment, clock), prompt_cache_of(segment, clock)
    given = request(CONTEXT, HI, points=POINT)
    assert look(one, given) == Hit(0, tokens(CONTEXT))
    assert look(other, given) == Hit(tokens(CONTEXT))
    assert look(one, request(CONTEXT, Message("user", "bye"), points=POINT)) == Hit(tokens(CONTEXT))


@pytest.mark.parametrize(("points", "ttl"), [(POINT, 300), (HOUR, 3600)])
def test_each_use_keeps_it_for_as_long_again(
    clock: Clock, segment: Segment, points: tuple[Breakpoint, ...], ttl: int
) -> None:
    cache, given = prompt_cache_of(segment, clock), request(CONTEXT, HI, points=points)
    look(cache, given)
    for _ in range(3):
        clock.now += ttl - 1
        assert look(cache, given).read
    clock.now += ttl
    again = look(cache, given)
    assert (again.read, again.written) == (0, tokens(CONTEXT))
    assert again.written_hour == (tokens(CONTEXT) if ttl == 3600 else 0)


def test_a_conversation_that_grows_pays_for_what_is_new(clock: Clock, segment: Segment) -> None:
    cache = prompt_cache_of(segment, clock)
    messages = [Message("user", LONG)]
    look(cache, request(*messages, points=(Breakpoint(0),)))
    messages += [Message("assistant", "ok"), Message("user", "more " * 30)]
    found = look(cache, request(*messages, points=(Breakpoint(2),)))
    assert found == Hit(tokens(messages[0]), tokens(messages[1]) + tokens(messages[2]))


def test_a_long_block_within_a_message(clock: Clock, segment: Segment) -> None:
    cache = prompt_cache_of(segment, clock)
    point = (Breakpoint(0, len(LONG)),)
    first = look(cache, request(Message("user", LONG + "why?"), points=point))
    assert first == Hit(0, tokens(Message("user", LONG)))
    assert look(cache, request(Message("user", LONG + "how?"), points=point)) == Hit(first.written)


def test_of_its_own_accord_in_steps(clock: Clock, segment: Segment) -> None:
    cache = prompt_cache_of(segment, clock)
    assert look(cache, request(CONTEXT, HI)) == Hit()
    held = tokens(CONTEXT) // prompt_cache.STEP * prompt_cache.STEP
    assert look(cache, request(CONTEXT, Message("user", "bye"))) == Hit(held)
    assert look(cache, request(Message("system", "other " + LONG), HI)) == Hit()


@pytest.mark.parametrize("points", [None, POINT])
def test_each_api_key_has_a_cache_of_its_own(
    clock: Clock, segment: Segment, points: tuple[Breakpoint, ...] | None
) -> None:
    one, other = prompt_cache_of(segment, clock), prompt_cache_of(segment, clock)
    given = request(CONTEXT, HI, points=points)
    assert [look(cache, given, key).read > 0 for cache, key in (
        (one, "a"), (other, "b"), (other, "a"), (one, "b"), (one, ""), (other, ""),
    )] == [False, False, True, True, False, True]  # fmt: skip


def test_of_its_own_accord_within_a_message(clock: Clock, segment: Segment) -> None:
    cache = prompt_cache_of(segment, clock)
    look(cache, request(Message("user", LONG + " why?")))
    found = look(cache, request(Message("user", LONG + " how is that?"))).read
    shared = tokens(Message("user", LONG))
    assert shared - 2 * prompt_cache.STEP < found <= shared
    assert found % prompt_cache.STEP == 0
    assert look(cache, request(Message("user", "how? " + LONG))) == Hit()
