"""Completions of bare prompts: what each choice goes on from, and what is counted."""

from typing import Any

import orjson
import pytest

from llmsim.core import Complete, Completion, Finish, Message, Request
from llmsim.core.errors import BadRequest, TooLong
from llmsim.engine.plan import plan
from llmsim.providers.openai.completions.codec import OpenAICompletions
from tests.engine.asking import STAMP, drawn, settings

COMPLETIONS = OpenAICompletions()
MODEL = "gpt-3.5-turbo-instruct"


def asked(prompt: Any = "Say this", **fields: Any) -> Request:
    return COMPLETIONS.decode(orjson.dumps({"model": MODEL, "prompt": prompt, **fields}))


def answered(request: Request, generator: str = "lorem", seed: int = 7) -> Completion:
    model_settings = settings(MODEL, generator)
    completion = plan(
        request, model_settings, drawn(request, model_settings, seed), COMPLETIONS, STAMP
    ).completion
    assert completion is not None
    return completion


def texts(completion: Completion) -> list[str]:
    return [choice.segments[0].generated.text for choice in completion.choices]


@pytest.mark.parametrize(
    ("prompt", "fields", "tokens"),
    [
        ("Say this", {}, 2),
        (["Say this", "Say this is"], {}, 5),
        (["Say this", "Say this is"], {"suffix": " end"}, 7),
        ([[1, 2, 3], [4]], {}, 4),
        ([1, 2, 3], {"suffix": " the end"}, 5),
        (None, {}, 1),
        ("Say this", {"n": 3}, 2),
    ],
)
def test_prompts_count_alone(prompt: Any, fields: dict[str, Any], tokens: int) -> None:
    request = asked(prompt, **fields)
    assert drawn(request, settings(MODEL)).prompt_tokens == tokens
    assert answered(request).usage.prompt == tokens


def test_each_prompt_has_its_choices_in_order() -> None:
    completion = answered(asked(["one", "two", "three"], n=2), "echo")
    assert texts(completion) == ["one", "one", "two", "two", "three", "three"]


def test_tokens_are_read_as_their_text() -> None:
    ids = settings(MODEL).tokenizer._encoding.encode_ordinary("Say this 👍 now")
    completion = answered(asked([ids, ids[:2]], echo=True), "echo")
    assert texts(completion) == ["Say this 👍 now", "Say this"]
    assert [one.prompt and one.prompt.text for one in completion.choices] == texts(completion)


def test_choices_differ_and_a_seed_is_a_seed() -> None:
    request = asked(["one", "one"], n=2)
    assert len(set(texts(answered(request)))) == 4
    assert texts(answered(request)) == texts(answered(request))
    assert texts(answered(request)) != texts(answered(request, seed=8))


def test_all_that_were_tried_are_counted() -> None:
    completion = answered(asked(n=2, best_of=5, max_tokens=10))
    assert (len(completion.choices), completion.usage.completion) == (2, 50)


@pytest.mark.parametrize(("limit", "tokens"), [(None, 16), (5, 5), (0, 0)])
def test_a_completion_is_cut_at_its_limit(limit: int | None, tokens: int) -> None:
    (choice,) = answered(asked(max_tokens=limit)).choices
    assert (choice.tokens, choice.finish) == (tokens, Finish.LENGTH)


@pytest.mark.parametrize(
    ("fields", "prompted", "scored"),
    [({}, False, False), ({"echo": True}, True, False), ({"logprobs": 1}, True, True)],
)
def test_the_prompt_comes_along_where_it_is_wanted(
    fields: dict[str, Any], prompted: bool, scored: bool
) -> None:
    (choice,) = answered(asked(**fields)).choices
    assert (choice.prompt is not None) is prompted
    if choice.prompt is not None:
        assert choice.prompt.text == "Say this"
        tokens = [one.sampled.token for one in choice.prompt.logprobs]
        assert tokens == ([b"Say", b" this"] if scored else [])


def test_each_prompt_must_fit_for_itself() -> None:
    assert len(answered(asked(["word " * 3000] * 2, max_tokens=1000)).choices) == 2
    with pytest.raises(BadRequest) as caught:
        answered(asked(["x", "word " * 3000], max_tokens=2000))
    assert caught.value.failure.too_long == TooLong(4096, 3001, 2000)


@pytest.mark.parametrize("token", [-1, 10**6, 10**30])
def test_tokens_that_are_none_are_refused(token: int) -> None:
    with pytest.raises(BadRequest, match="cl100k_base has no such token"):
        answered(Request(MODEL, (Message("user", tokens=(token,)),), task=Complete()))


def test_reasoning_models_complete_at_once() -> None:
    request = COMPLETIONS.decode(orjson.dumps({"model": "o3", "prompt": "x"}))
    model_settings = settings("o3")
    completion = plan(
        request, model_settings, drawn(request, model_settings), COMPLETIONS, STAMP
    ).completion
    assert completion is not None
    assert (completion.usage.reasoning, completion.usage.completion) == (0, 16)
