"""What `import llmsim` offers, and what it costs."""

import asyncio
import subprocess
import sys

import pytest

import llmsim
from llmsim.core.errors import ConfigError

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi there"}]}


@pytest.mark.parametrize("name", llmsim.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(llmsim, name).__doc__
    assert name in dir(llmsim)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Sever'"):
        llmsim.Sever  # noqa: B018


@pytest.mark.parametrize("module", ["llmsim", "llmsim.testing.plugin"])
def test_importing_it_imports_nothing_else(module: str) -> None:
    code = f"import pytest, sys; before = set(sys.modules); import {module}; " + (
        "print(sorted({one for one in set(sys.modules) - before if not one.startswith('llmsim')}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_plan_is_an_answer() -> None:
    made = llmsim.plan(BODY, config={"response": {"generator": "fixed:Hello."}}, seed=3)
    assert b"Hello." in made.frames[0]
    assert made.seed == 3
    assert made.total > made.ttft > 0


def test_a_plan_is_a_stream_in_any_dialect() -> None:
    made = llmsim.plan({**BODY, "max_tokens": 9, "stream": True}, dialect="anthropic")
    assert made.stream
    assert len(made.frames) == len(made.due) > 9


def test_a_plan_can_be_made_while_an_event_loop_runs() -> None:
    async def inside() -> int:
        return llmsim.plan(BODY, headers={"x-llmsim-error": "503"}).status

    assert asyncio.run(inside()) == 503


def test_a_plan_says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="seed"):
        llmsim.plan(BODY, config={"seed": "x"})
    with pytest.raises(ValueError, match=r"dialect: must be one of .*openai_chat"):
        llmsim.plan(BODY, dialect="chat")


def test_tokens_are_counted_of_texts_and_requests() -> None:
    assert llmsim.count_tokens("Hi there") == 2
    plan = llmsim.plan(BODY)
    assert plan.completion is not None
    assert llmsim.count_tokens(BODY) == plan.completion.usage.prompt


@pytest.mark.parametrize("kind", ["lorem", "random"])
@pytest.mark.parametrize("tokens", [0, 1, 50])
def test_generated_texts_are_exact_to_the_token(kind: str, tokens: int) -> None:
    made = getattr(llmsim.generators, kind)
    text = made(tokens, seed=7)
    assert llmsim.count_tokens(text) == tokens
    assert text == made(tokens, seed=7)
    assert tokens < 9 or text != made(tokens, seed=8)
