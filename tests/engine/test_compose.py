"""From what was asked to what is said: lengths, stops, alternatives, usage."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Choice, Completion, Finish, Request, TextSegment
from llmsim.core.errors import BadRequest, FailureKind
from llmsim.engine.compose import ModelSettings, PlanInputs, compose
from llmsim.engine.tokens import ranks
from tests.engine.asking import AWKWARD, asked, drawn, settings

THINKER = "o3-mini"


def composed(
    request: Request, model_settings: ModelSettings, seed: int = 7, turn: int = 0
) -> Completion:
    return compose(request, model_settings, drawn(request, model_settings, seed, turn))


def content(choice: Choice) -> str:
    return "".join(part.generated.text for part in choice.segments if isinstance(part, TextSegment))


def counted(text: str, encoding: str = "o200k_base") -> int:
    return len(ranks.encoding(encoding).encode_ordinary(text))


@pytest.mark.parametrize(
    ("fields", "tokens", "finish"),
    [
        ({}, 40, Finish.STOP),
        ({"max_tokens": 40}, 40, Finish.STOP),
        ({"max_tokens": 39}, 39, Finish.LENGTH),
        ({"max_tokens": 1}, 1, Finish.LENGTH),
        ({"max_tokens": 0}, 0, Finish.LENGTH),
        ({"max_tokens": 1000}, 40, Finish.STOP),
        ({"max_completion_tokens": 5}, 5, Finish.LENGTH),
        ({"max_completion_tokens": 5, "max_tokens": 10}, 5, Finish.LENGTH),
    ],
)
def test_an_answer_is_as_long_as_wanted_and_no_longer_than_allowed(
    fields: dict[str, Any], tokens: int, finish: Finish
) -> None:
    completion = composed(asked(**fields), settings(tokens=40))
    (choice,) = completion.choices
    assert (choice.tokens, choice.finish, choice.stop) == (tokens, finish, None)
    assert counted(content(choice)) == completion.usage.completion == tokens


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "claude-sonnet-4-5", "nobody-knows-it"])
def test_tokens_are_those_of_the_models_encoding(model: str) -> None:
    model_settings = settings(model, "echo")
    text = " ".join(AWKWARD)
    completion = composed(asked(text, model=model), model_settings)
    assert content(completion.choices[0]) == text
    assert completion.usage.completion == counted(text, model_settings.model.encoding)
    assert completion.usage.prompt == 7 + counted(text, model_settings.model.encoding)


@pytest.mark.parametrize(
    ("text", "stop", "said", "hit"),
    [
        ("one two three four", ["three"], "one two ", "three"),
        ("one two three four", "o", "", "o"),
        ("one two three four", ["x", " four"], "one two three", " four"),
        ("one two three four", ["five"], "one two three four", None),
        ("one two three four", [""], "one two three four", None),
        ("👩‍👩‍👧 and more", ["\u200d"], "👩", "\u200d"),
    ],
)
def test_an_answer_ends_before_a_stop_sequence(
    text: str, stop: Any, said: str, hit: str | None
) -> None:
    completion = composed(asked(stop=stop), settings(generator="fixed", texts=[text]))
    (choice,) = completion.choices
    assert (content(choice), choice.stop, choice.finish) == (said, hit, Finish.STOP)
    assert completion.usage.completion == choice.tokens == counted(said)


def test_a_stop_sequence_after_the_cut_was_never_reached() -> None:
    request = asked(stop=["four"], max_tokens=2)
    (choice,) = composed(request, settings(generator="fixed", texts=["one two three four"])).choices
    assert (content(choice), choice.stop, choice.finish) == ("one two", None, Finish.LENGTH)


@pytest.mark.parametrize("generator", ["lorem", "random"])
def test_alternatives_differ_and_are_all_counted(generator: str) -> None:
    completion = composed(asked(n=5), settings(generator=generator))
    assert len({content(choice) for choice in completion.choices}) == 5
    assert completion.usage.completion == 5 * 40


def test_the_first_alternative_does_not_depend_on_how_many_there_are() -> None:
    one, many = composed(asked(), settings()), composed(asked(n=3), settings())
    assert one.choices[0] == many.choices[0]


def test_a_sequence_follows_the_turn() -> None:
    model_settings = settings(generator="sequence", texts=["one", "two", "three"])
    said = [content(composed(asked(), model_settings, turn=turn).choices[0]) for turn in range(4)]
    assert said == ["one", "two", "three", "one"]


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh"])
def test_a_reasoning_model_thinks_harder_on_request(effort: str) -> None:
    model_settings = settings(THINKER)
    order = ["minimal", "low", "medium", "high", "xhigh"]
    thought = [
        sum(
            composed(
                asked(model=THINKER, reasoning_effort=each), model_settings, seed
            ).usage.reasoning
            for seed in range(20)
        )
        for each in order
    ]
    assert thought == sorted(thought)
    place = order.index(effort)
    assert place == 0 or thought[place] > thought[place - 1]


@given(st.integers(0, 2**48), st.sampled_from([None, 0, 1, 7, 64, 500, 5000]))
def test_reasoning_is_inside_the_completion_and_its_limit(seed: int, limit: int | None) -> None:
    request = asked(model=THINKER, reasoning_effort="high", max_completion_tokens=limit)
    completion = composed(request, settings(THINKER), seed)
    said = counted(content(completion.choices[0]))
    assert completion.usage.completion == completion.usage.reasoning + said
    assert completion.usage.total == completion.usage.prompt + completion.usage.completion
    if limit is None:
        assert completion.usage.reasoning > 0
        assert completion.usage.reasoning % 64 == 0
    else:
        assert completion.usage.completion <= limit
        assert completion.usage.reasoning <= limit
        assert completion.choices[0].starved is (completion.usage.reasoning == limit > 0)


def test_other_models_do_not_reason() -> None:
    for fields in ({}, {"reasoning_effort": "high"}):
        completion = composed(asked(**fields), settings())
        assert (completion.usage.reasoning, completion.usage.completion) == (0, 40)


@pytest.mark.parametrize(("over", "limit"), [(0, 100), (0, 0), (1, 100), (1, 0), (50_000, 7)])
def test_prompt_and_wanted_output_must_fit_the_window(over: int, limit: int) -> None:
    model_settings = settings()
    request = asked(max_tokens=limit)
    prompt = model_settings.model.context_window - limit + over
    inputs = PlanInputs(seed=7, turn=0, prompt_tokens=prompt)
    if not over:
        assert compose(request, model_settings, inputs).usage.prompt == prompt
        return
    with pytest.raises(BadRequest) as caught:
        compose(request, model_settings, inputs)
    failure = caught.value.failure
    assert (failure.kind, failure.param) == (FailureKind.CONTEXT_LENGTH, "messages")
    assert str(model_settings.model.context_window) in failure.message
    assert str(prompt) in failure.message


@pytest.mark.parametrize("left", [1, 20, 39])
def test_a_window_that_is_nearly_full_cuts_the_answer(left: int) -> None:
    model_settings = settings(tokens=40)
    inputs = PlanInputs(seed=7, turn=0, prompt_tokens=model_settings.model.context_window - left)
    (choice,) = compose(asked(), model_settings, inputs).choices
    assert (choice.tokens, choice.finish) == (left, Finish.LENGTH)


def test_a_full_window_leaves_nothing_to_say() -> None:
    model_settings = settings()
    inputs = PlanInputs(seed=7, turn=0, prompt_tokens=model_settings.model.context_window)
    with pytest.raises(BadRequest):
        compose(asked(), model_settings, inputs)


@pytest.mark.parametrize(("left", "fits"), [(0, True), (1, True), (-1, False)])
def test_a_window_that_is_for_input_takes_nothing_from_the_answer(left: int, fits: bool) -> None:
    model_settings = settings("gemini-2.5-flash-lite")
    inputs = PlanInputs(seed=7, turn=0, prompt_tokens=model_settings.model.context_window - left)
    if fits:
        for request in (asked(), asked(max_tokens=40)):
            assert compose(request, model_settings, inputs).choices[0].finish is Finish.STOP
    else:
        with pytest.raises(BadRequest):
            compose(asked(), model_settings, inputs)


def test_no_answer_is_longer_than_the_models_own_limit() -> None:
    model_settings = settings(tokens=10**6)
    (choice,) = composed(asked(), model_settings).choices
    assert (choice.tokens, choice.finish) == (model_settings.model.max_output_tokens, Finish.LENGTH)


@given(st.sampled_from(AWKWARD), st.integers(0, 20), st.booleans(), st.integers(0, 99))
def test_log_probabilities_are_of_the_tokens_that_were_said(
    text: str, top: int, stream: bool, seed: int
) -> None:
    request = asked(text, logprobs=True, top_logprobs=top, stream=stream)
    (choice,) = composed(request, settings(generator="echo"), seed).choices
    (segment,) = choice.segments
    entries = segment.generated.logprobs
    assert len(entries) == segment.generated.tokens == choice.tokens
    assert b"".join(entry.sampled.token for entry in entries).decode() == text
    assert all(len(entry.top) == top for entry in entries)


def test_nobody_gets_log_probabilities_unasked() -> None:
    (choice,) = composed(asked(), settings()).choices
    assert choice.segments[0].generated.logprobs == ()


requests = st.fixed_dictionaries(
    {},
    optional={
        "max_tokens": st.integers(0, 60),
        "n": st.integers(1, 4),
        "stop": st.lists(st.sampled_from(["e", " ", ".", "a b", "👩", "\u200d", "qu"]), max_size=4),
        "logprobs": st.just(True),
        "stream": st.booleans(),
    },
)


@given(
    st.sampled_from(["lorem", "random", "echo"]),
    st.one_of(st.sampled_from(AWKWARD), st.text(max_size=60)),
    requests,
    st.sampled_from(["gpt-4o", "gpt-4", THINKER]),
    st.integers(0, 2**48),
)
def test_usage_is_what_the_tokenizer_counts(
    generator: str, text: str, fields: dict[str, Any], model: str, seed: int
) -> None:
    model_settings = settings(model, generator)
    completion = composed(asked(text, model=model, **fields), model_settings, seed)
    encoding = model_settings.model.encoding
    assert len(completion.choices) == fields.get("n", 1)
    said = sum(counted(content(choice), encoding) for choice in completion.choices)
    assert completion.usage.completion == said + completion.usage.reasoning
    assert completion.usage.prompt == 7 + counted(text, encoding)
    for choice in completion.choices:
        assert choice.tokens == counted(content(choice), encoding)
        assert not any(stop in content(choice) for stop in fields.get("stop", []))


@given(requests, st.integers(0, 2**48))
def test_the_seed_decides(fields: dict[str, Any], seed: int) -> None:
    request = asked(**fields)
    assert composed(request, settings(), seed) == composed(request, settings(), seed)


def test_seeds_differ() -> None:
    said = {content(composed(asked(), settings(), seed).choices[0]) for seed in range(100)}
    assert len(said) > 90
