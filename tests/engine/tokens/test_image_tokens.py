"""How many tokens a picture is, by provider, model and size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core import Image, Message, Request
from llmsim.engine.tokens import prompt
from llmsim.engine.tokens.image_tokens import image_tokens
from llmsim.engine.tokens.tokenizer import tokenizer


@pytest.mark.parametrize(
    ("detail", "width", "height", "expected"),
    [
        ("low", 4096, 8192, 85),
        ("low", 0, 0, 85),
        ("auto", 0, 0, 765),
        ("high", 1024, 1024, 765),  # the examples of OpenAI's guide
        ("high", 2048, 4096, 1105),
        ("high", 512, 512, 255),
        ("auto", 513, 512, 425),
        ("auto", 1, 1, 255),
        ("auto", 1, 10_000, 85 + 4 * 170),
        ("auto", 4_000_000_000, 1, 85 + 4 * 170),
        ("auto", 768, 768, 765),
    ],
)
def test_a_picture_counts_its_tiles(detail: str, width: int, height: int, expected: int) -> None:
    assert image_tokens(Image(detail, width, height), "gpt-4o") == expected


@pytest.mark.parametrize(
    ("model", "low", "high"),  # of 1024 × 1024: four tiles
    [
        ("gpt-4o", 85, 765),
        ("gpt-4o-2024-08-06", 85, 765),
        ("openai/gpt-4o", 85, 765),
        ("gpt-4-turbo", 85, 765),
        ("gpt-4.1", 85, 765),
        ("gpt-4.5-preview", 85, 765),
        ("gpt-4o-mini", 2833, 2833 + 4 * 5667),
        ("gpt-4o-mini-2024-07-18", 2833, 2833 + 4 * 5667),
        ("ft:gpt-4o-mini:org::id", 2833, 2833 + 4 * 5667),
        ("gpt-5", 70, 70 + 4 * 140),
        ("gpt-5.1-codex", 70, 70 + 4 * 140),
        ("gpt-5-chat-latest", 70, 70 + 4 * 140),
        ("o1", 75, 75 + 4 * 150),
        ("o1-pro", 75, 75 + 4 * 150),
        ("o3", 75, 75 + 4 * 150),
        ("computer-use-preview", 65, 65 + 4 * 129),
        ("some-model", 85, 765),
        ("", 85, 765),
    ],
)
def test_tiles_cost_what_the_model_takes_for_them(model: str, low: int, high: int) -> None:
    assert image_tokens(Image("low", 1024, 1024), model) == low
    assert image_tokens(Image("high", 1024, 1024), model) == high
    assert image_tokens(Image("auto", 1024, 1024), model) == high


@pytest.mark.parametrize(
    ("model", "factor"),
    [
        ("gpt-4.1-mini", 1.62),
        ("gpt-4.1-mini-2025-04-14", 1.62),
        ("gpt-4.1-nano", 2.46),
        ("gpt-5-mini", 1.62),
        ("gpt-5-nano", 2.46),
        ("gpt-5.4-mini", 1.62),
        ("o4-mini", 1.72),
    ],
)
@pytest.mark.parametrize(
    ("detail", "width", "height", "patches"),
    [
        ("auto", 1024, 1024, 1024),  # the examples of OpenAI's guide
        ("auto", 1800, 2400, 1452),
        ("high", 32, 32, 1),
        ("high", 33, 32, 2),
        ("high", 1, 1, 1),
        ("high", 1536, 1024, 1536),
        ("auto", 0, 0, 1024),
        ("low", 1024, 1024, 256),
        ("low", 100, 32, 4),
    ],
)
def test_patches_cost_what_the_model_takes_for_them(
    model: str, factor: float, detail: str, width: int, height: int, patches: int
) -> None:
    assert image_tokens(Image(detail, width, height), model) == -(-patches * factor // 1)


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_no_picture_is_more_than_so_many_patches(width: int, height: int) -> None:
    assert 2 <= image_tokens(Image("high", width, height), "gpt-4.1-mini") <= 2489


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (0, 0, 1600),
        (200, 200, 54),  # the examples of Anthropic's guide
        (1000, 1000, 1334),
        (1092, 1092, 1590),
        (10_000, 10_000, 1600),
        (1, 1_000_000, 3),
    ],
)
def test_a_picture_counts_its_area(width: int, height: int, expected: int) -> None:
    image = Image("auto", width, height, "area")
    assert image_tokens(image, "claude-sonnet-4-5") == expected


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini"])
def test_a_picture_on_its_side_counts_the_same(model: str, width: int, height: int) -> None:
    upright, lying = Image("high", width, height), Image("high", height, width)
    assert image_tokens(upright, model) == image_tokens(lying, model) >= 2


def test_a_prompt_counts_them_by_its_model() -> None:
    message = Message("user", "hi", images=(Image("low"),))
    encoding = tokenizer("o200k_base")
    counts = [
        prompt.tokens(Request(model, (message,)), encoding) for model in ("gpt-4o", "gpt-4o-mini")
    ]
    assert counts == [3 + 5 + 85, 3 + 5 + 2833]
    assert prompt.message(message, encoding, "gpt-4o-mini") == 5 + 2833
