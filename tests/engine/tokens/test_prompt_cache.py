"""Prompt caching: what can be cached, what a hit is worth, and what it does to the clock."""

import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace

from llmsim.core import Breakpoint, Count, Format, Message, Request, Tool, ToolCall, Usage
from llmsim.core.catalog.distribution import Distribution
from llmsim.core.catalog.models import resolve
from llmsim.core.catalog.profiles import LatencyProfile
from llmsim.engine.compose import PlanInputs
from llmsim.engine.plan import plan
from llmsim.engine.timing import draws_of
from llmsim.engine.tokens import prompt, prompt_cache
from llmsim.engine.tokens.prompt_cache import LEAST, LOOKBACK, MISS, MOST_STEPS, STEP, Hit, Prefix
from llmsim.engine.tokens.tokenizer import tokenizer
from tests.engine.asking import CHAT, STAMP, asked, settings

ENCODING = tokenizer("o200k_base")
MODEL = resolve("claude-sonnet-4-6")
LONG = "lorem ipsum " * 1000


def user(text: str) -> Message:
    return Message("user", text)


def request(*messages: Message, points: Sequence[Breakpoint] | None = None) -> Request:
    return Request("m", messages, breakpoints=None if points is None else tuple(points))


def chain(prompt_request: Request, model: str = MODEL.id) -> list[Prefix]:
    total = prompt.tokens(prompt_request, ENCODING)
    return list(prompt_cache.prefixes(prompt_request, resolve(model), ENCODING, total))


def keys(prompt_request: Request, model: str = MODEL.id) -> list[int]:
    return [prefix.key for prefix in chain(prompt_request, model)]


CONVERSATION = [user(LONG), Message("assistant", "ok"), user("and " * 200)]


# --- of a provider's own accord -----------------------------------------------------------------


def test_every_message_ends_a_prefix_longest_first() -> None:
    found = chain(request(*CONVERSATION))
    whole = prompt.tokens(request(*CONVERSATION), ENCODING) - prompt.PRIMING
    first = prompt.message(CONVERSATION[0], ENCODING)
    within = range(first - (first - 4) % STEP, LEAST - 1, -STEP)
    assert [prefix.tokens for prefix in found] == [
        whole,
        whole - prompt.message(CONVERSATION[2], ENCODING),
        first,
        *within,
    ]
    assert len(within) > 5
    assert all(prefix.kept for prefix in found)


def test_a_prefix_is_the_same_whatever_follows() -> None:
    shorter, longer = keys(request(*CONVERSATION[:2])), keys(request(*CONVERSATION))
    assert longer[1:] == shorter


@pytest.mark.parametrize(
    "other",
    [
        request(user("!" + LONG)),
        request(Message("system", LONG)),
        request(Message("user", LONG, name="ann")),
        request(Message("user", LONG, mark=1)),
        request(user(LONG[:600]), user(LONG[600:])),
        replace(request(user(LONG)), tools=(Tool("f"),)),
        replace(request(user(LONG)), format=Format({"type": "object"})),
    ],
)
def test_another_beginning_has_other_keys(other: Request) -> None:
    assert not set(keys(request(user(LONG)))) & set(keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (user(LONG + " why?"), user(LONG + " how is that?")),
        (user(LONG), user(LONG + LONG)),
        (user(LONG), Message("user", LONG, calls=(ToolCall("1", "f", "{}"),))),
        (user("é🙂 " * 1000 + "a"), user("é🙂 " * 1000 + "b")),
    ],
)
def test_messages_that_begin_alike_share_what_they_begin_with(one: Message, other: Message) -> None:
    before = Message("system", "Be brief.")
    first, second = chain(request(before, one)), chain(request(before, other))
    shared = {prefix.key for prefix in first} & {prefix.key for prefix in second}
    assert len(shared) >= 5
    longest = max(prefix.tokens for prefix in first if prefix.key in shared)
    pairs = zip(one.text, other.text, strict=False)
    alike = next((place for place, pair in enumerate(pairs) if pair[0] != pair[1]), len(one.text))
    same = prompt.tokens(request(before, user(one.text[:alike])), ENCODING) - prompt.PRIMING
    assert same - STEP - 2 <= longest <= same
    assert first[0].key not in shared


def test_a_very_long_message_has_wider_steps() -> None:
    found = chain(request(user("word " * 200_000)))
    assert MOST_STEPS / 2 <= len(found) <= MOST_STEPS + 1


def test_another_model_has_other_keys() -> None:
    assert not set(keys(request(user(LONG)))) & set(keys(request(user(LONG)), "gpt-4o"))


def test_keys_are_the_same_in_every_process() -> None:
    """Strings are hashed otherwise in each, as their keys must not be."""
    code = (
        "from tests.engine.tokens import test_prompt_cache as t;"
        "print(t.keys(t.request(*t.CONVERSATION)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {str(keys(request(*CONVERSATION)))}


def test_keys_are_64_bits() -> None:
    assert all(0 <= key < 2**64 for key in keys(request(*CONVERSATION)))


def test_what_is_too_short_is_no_prefix() -> None:
    assert chain(request(user("hi"), *[user("more")] * 50)) == []


@pytest.mark.parametrize(
    ("read", "total", "cached"),
    [
        (None, 2000, 0),
        (1024, 2000, 1024),
        (1151, 2000, 1024),
        (1152, 2000, 1152),
        (2048, 2048, 1920),  # never all of it
    ],
)
def test_what_is_cached_comes_in_steps(read: int | None, total: int, cached: int) -> None:
    found = None if read is None else Prefix(1, read, 300)
    assert prompt_cache.hit(request(user("x")), total, found, []) == Hit(cached)
    assert cached % STEP == 0


# --- where the client wants it ------------------------------------------------------------------


def test_only_breakpoints_are_kept_and_what_is_before_them_is_looked_for() -> None:
    found = chain(request(*CONVERSATION, points=[Breakpoint(2, None, 3600)]))
    assert [prefix.kept for prefix in found] == [True, False, False]
    assert {prefix.ttl for prefix in found} == {3600}
    assert [prefix.key for prefix in found] == keys(request(*CONVERSATION))[:3]


def test_a_breakpoint_that_moved_on_finds_what_it_left() -> None:
    before = chain(request(*CONVERSATION[:1], points=[Breakpoint(0)]))
    after = chain(request(*CONVERSATION, points=[Breakpoint(2)]))
    assert [prefix.key for prefix in before if prefix.kept] == [after[-1].key]


def test_hits_are_looked_for_a_bounded_way_back() -> None:
    messages = [user(LONG), *[user(f"{place}") for place in range(2 * LOOKBACK)]]
    found = chain(request(*messages, points=[Breakpoint(len(messages) - 1)]))
    assert len(found) == LOOKBACK + 1


def test_a_breakpoint_within_a_message_leaves_the_rest_out() -> None:
    first, second = (
        chain(request(user(LONG + question), points=[Breakpoint(0, len(LONG))]))
        for question in ("why?", "how?")
    )
    assert [prefix.key for prefix in first] == [prefix.key for prefix in second]
    assert first[0].tokens == prompt.message(user(LONG), ENCODING)


def test_files_come_before_the_text_of_their_message() -> None:
    one = Message("user", LONG + "why?", extra=1500, mark=7)
    (found,) = chain(request(one, points=[Breakpoint(0, len(LONG))]))
    assert found.tokens == prompt.message(user(LONG), ENCODING) + 1500
    (other,) = chain(request(replace(one, mark=8), points=[Breakpoint(0, len(LONG))]))
    assert found.key != other.key


def test_tools_come_before_all_messages() -> None:
    tools = tuple(Tool(f"f{place}", LONG[:600]) for place in range(20))
    prompt_request = replace(request(user("hi"), points=[Breakpoint(-1)]), tools=tools)
    (found,) = chain(prompt_request)
    assert found.tokens == prompt.tools(prompt_request, ENCODING.count)
    (same,) = chain(replace(prompt_request, messages=(user("bye"),)))
    assert same.key == found.key


@pytest.mark.parametrize(
    ("model", "length", "enough"),
    [
        ("claude-sonnet-4-6", LEAST, True),
        ("claude-sonnet-4-6", LEAST - 1, False),
        ("claude-sonnet-4-5", 1024, True),
        ("claude-opus-4-1", 1024, True),
        ("claude-opus-4-1", 1023, False),
        ("claude-opus-4-5", 4096, True),
        ("claude-opus-4-5", 4095, False),
        ("claude-opus-4-5-20251101", 4095, False),
        ("anthropic/claude-opus-4.6", 4095, False),
        ("claude-opus-5", 4095, False),
        ("claude-haiku-4-5", 4096, True),
        ("claude-haiku-4-5", 4095, False),
        ("claude-3-5-haiku-latest", 2048, True),
        ("claude-3-5-haiku-latest", 2047, False),
        ("claude-3-haiku-20240307", 2047, False),
    ],
)
def test_a_prefix_has_to_be_long_enough(model: str, length: int, enough: bool) -> None:
    text = "a" + " a" * (length - prompt.PER_MESSAGE - 2)
    prompt_request = request(user(text), user("then"), points=[Breakpoint(0)])
    assert prompt.message(user(text), ENCODING) == length
    assert bool(chain(prompt_request, model)) is enough


HOUR, MINUTES = Prefix(1, 1500, 3600), Prefix(2, 1800, 300)


@pytest.mark.parametrize(
    ("read", "new", "hit"),
    [
        (None, [MINUTES, HOUR], Hit(0, 1800, 1500)),
        (None, [MINUTES], Hit(0, 1800)),
        (HOUR, [MINUTES], Hit(1500, 300)),
        (Prefix(3, 1100, 3600), [MINUTES, HOUR], Hit(1100, 700, 400)),
        (MINUTES, [], Hit(1800)),
        (None, [], MISS),
    ],
)
def test_what_is_read_and_written(read: Prefix | None, new: list[Prefix], hit: Hit) -> None:
    assert prompt_cache.hit(request(user("x"), points=[Breakpoint(0)]), 2000, read, new) == hit


@pytest.mark.parametrize(
    ("prompt_request", "may"),
    [
        (request(user("x")), True),
        (request(user("x"), points=[Breakpoint(0)]), True),
        (request(user("x"), points=[]), False),
        (replace(request(user("x")), task=Count()), False),
    ],
)
def test_what_may_be_cached(prompt_request: Request, may: bool) -> None:
    assert prompt_cache.cacheable(prompt_request) is may


# --- the clock ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("cached", "factor"), [(0, 1.0), (500, 0.6), (1000, 0.2)])
def test_the_first_token_comes_sooner(cached: int, factor: float) -> None:
    assert prompt_cache.scale(Usage(1000, 5, cached=cached)) == pytest.approx(factor)
    streamed = asked(stream=True)
    held = replace(settings(), draws=draws_of(LatencyProfile.of(0.4, 0.1, 0.02, 0.01)))
    slow, quick = (
        plan(streamed, held, PlanInputs(7, 0, 1000, hit), CHAT, STAMP)
        for hit in (MISS, Hit(cached))
    )
    assert quick.ttft == pytest.approx(slow.ttft * factor)
    assert np.allclose(np.diff(quick.due[:]), np.diff(slow.due[:]))


@pytest.mark.parametrize("cached", [0, 500, 1000])
def test_what_is_cached_is_not_prefilled(cached: int) -> None:
    profile = LatencyProfile(Distribution(0.4), Distribution(0.02), prefill=1e-3)
    held = replace(settings(), draws=draws_of(profile))
    for stream in (False, True):
        inputs = PlanInputs(7, 0, 1000, Hit(cached))
        made = plan(asked(stream=stream), held, inputs, CHAT, STAMP)
        assert made.ttft == pytest.approx(0.4 + 1e-3 * (1000 - cached))


def test_the_cache_is_in_the_usage() -> None:
    made = plan(asked(), settings(), PlanInputs(7, 0, 2000, Hit(1024, 300, 100)), CHAT, STAMP)
    assert made.completion is not None
    used = made.completion.usage
    assert (used.prompt, used.cached, used.cache_written, used.cache_written_hour) == (
        2000,
        1024,
        300,
        100,
    )
