"""Tasks: embeddings, and what is too much for an event loop."""

import numpy as np
import pytest

from llmsim.core import Canvas, Complete, Embed, Embeddings, Message, Moderate, Paint, Request, Task
from llmsim.core.errors import BadRequest, FailureKind, TooLong
from llmsim.engine.compose import PlanInputs
from llmsim.engine.tasks.dispatch import lengthy, perform
from llmsim.engine.tasks.embeddings import vector
from tests.engine.asking import drawn, settings

SMALL = "text-embedding-3-small"


def embedded(model: str, task: Embed, *messages: Message) -> Embeddings:
    request = Request(model, messages, task=task)
    model_settings = settings(model)
    inputs = drawn(request, model_settings)
    completion = perform(request, task, model_settings, inputs)
    assert isinstance(completion.made, Embeddings)
    assert completion.usage.prompt == inputs.prompt_tokens
    assert completion.usage.completion == 0
    return completion.made


def texts(*said: str) -> tuple[Message, ...]:
    return tuple(Message("user", one) for one in said)


@pytest.mark.parametrize(
    ("model", "asked", "width"),
    [
        (SMALL, None, 1536),
        ("text-embedding-3-large", None, 3072),
        ("text-embedding-ada-002", None, 1536),
        ("gemini-embedding-001", None, 3072),
        ("nobody-knows", None, 1536),
        ("nobody-knows", 4096, 4096),
        (SMALL, 256, 256),
        (SMALL, 1, 1),
    ],
)
def test_a_vector_is_as_wide_as_the_model_or_the_client_says(
    model: str, asked: int | None, width: int
) -> None:
    made = embedded(model, Embed(asked), *texts("a", "b"))
    assert [one.shape for one in made.vectors] == [(width,), (width,)]


@pytest.mark.parametrize(
    ("model", "asked"),
    [(SMALL, 1537), ("text-embedding-3-large", 3073), ("nobody-knows", 4097)],
)
def test_none_is_wider_than_the_model_makes_them(model: str, asked: int) -> None:
    with pytest.raises(BadRequest) as caught:
        embedded(model, Embed(asked), *texts("a"))
    assert caught.value.failure.param == "dimensions"


def test_each_message_has_its_own_vector_also_as_tokens() -> None:
    ids = tuple(settings(SMALL).tokenizer._encoding.encode_ordinary("the same text"))
    made = embedded(SMALL, Embed(), *texts("one", "the same text"), Message("user", tokens=ids))
    one, two, three = made.vectors
    assert np.array_equal(one, vector("one", 1536))
    assert np.array_equal(two, three)
    assert not np.array_equal(one, two)


def test_a_message_over_the_window_is_refused_by_itself() -> None:
    window = settings(SMALL).model.context_window
    many = "word " * (window // 2)
    assert len(embedded(SMALL, Embed(), *texts(many, many, many)).vectors) == 3
    with pytest.raises(BadRequest) as caught:
        embedded(SMALL, Embed(), *texts("x", many * 3))
    failure = caught.value.failure
    assert failure.kind is FailureKind.CONTEXT_LENGTH
    assert isinstance(failure.too_long, TooLong)
    assert (failure.too_long.window, failure.too_long.wanted) == (window, 0)


def test_all_messages_together_may_have_a_bound() -> None:
    assert embedded(SMALL, Embed(most=2), *texts("a", "b"))
    with pytest.raises(BadRequest) as caught:
        embedded(SMALL, Embed(most=2), *texts("a", "b", "c"))
    assert caught.value.failure.code == "max_tokens_per_request"


def test_equal_asks_are_answered_equally_under_any_seed() -> None:
    task = Embed()
    request = Request(SMALL, texts("a"), task=task)
    one, two = (
        perform(request, task, settings(SMALL), PlanInputs(seed, 0, 1)).made for seed in (1, 2)
    )
    assert isinstance(one, Embeddings)
    assert isinstance(two, Embeddings)
    assert np.array_equal(one.vectors[0], two.vectors[0])


@pytest.mark.parametrize(
    ("task", "messages", "n", "expected"),
    [
        (Embed(), texts("a"), 1, False),
        (Embed(), texts(*"abcdefghi"), 1, True),
        (Embed(), texts("x" * 9000), 1, True),
        (Moderate(), texts("a"), 1, False),
        (Complete(), texts("a"), 8, False),
        (Complete(), texts("a"), 9, True),
        (Paint(Canvas(0, 8, 8)), texts("a"), 1, True),
        (Paint(Canvas(0, 8, 8), linked=True), texts("a"), 1, False),
    ],
)
def test_what_would_keep_others_waiting(
    task: Task, messages: tuple[Message, ...], n: int, expected: bool
) -> None:
    assert lengthy(Request("gpt-4o", messages, n=n, task=task), task) is expected
