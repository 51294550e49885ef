"""Pictures: real files of the size that was asked for, the same for the same seed."""

from io import BytesIO
from typing import Any

import PIL.Image
import pytest

from llmsim.core import Canvas, Completion, Image, Message, Paint, Pictures, Request
from llmsim.engine.compose import PlanInputs
from llmsim.engine.painting import painted
from llmsim.engine.tasks.images import TOKENS, VARIETY, paint, tokens
from tests.engine.asking import drawn, settings

MODEL = "gpt-image-2"


def answered(seed: int = 7, text: str = "an otter", n: int = 1, **fields: Any) -> Completion:
    task = Paint(Canvas(0, 64, 32), **fields)
    request = Request(MODEL, (Message("user", text),), n=n, task=task)
    return paint(request, task, PlanInputs(seed, 0, 3))


def pictures(completion: Completion) -> Pictures:
    assert isinstance(completion.made, Pictures)
    return completion.made


def seeds(completion: Completion) -> list[int]:
    return [one.canvas.seed for one in pictures(completion).pictures]


@pytest.mark.parametrize(
    ("canvas", "form", "mode"),
    [
        (Canvas(1, 64, 32), "PNG", "RGB"),
        (Canvas(1, 33, 65, transparent=True), "PNG", "RGBA"),
        (Canvas(1, 64, 32, "jpeg", compression=50), "JPEG", "RGB"),
        (Canvas(1, 64, 32, "jpeg", compression=0), "JPEG", "RGB"),
        (Canvas(1, 64, 32, "webp"), "WEBP", "RGB"),
        (Canvas(1, 64, 32, "webp", transparent=True), "WEBP", "RGBA"),
    ],
)
def test_a_picture_is_a_file_of_that_kind(canvas: Canvas, form: str, mode: str) -> None:
    image = PIL.Image.open(BytesIO(painted(canvas)))
    image.load()
    assert (image.format, image.mode, image.size) == (form, mode, (canvas.width, canvas.height))


def test_a_seed_decides_what_is_painted() -> None:
    one = painted(Canvas(1, 64, 32))
    painted.cache_clear()
    assert painted(Canvas(1, 64, 32)) == one
    assert painted(Canvas(2, 64, 32)) != one


def test_unfinished_versions_are_coarser_files_of_the_same_size() -> None:
    (picture,) = pictures(answered(partial=3)).pictures
    assert len(set(picture.versions)) == 4
    assert picture.versions[-1] == painted(picture.canvas)
    images = [PIL.Image.open(BytesIO(version)).convert("RGB") for version in picture.versions]
    assert {image.size for image in images} == {(64, 32)}
    colours = [len(image.getcolors(64 * 32) or ()) for image in images]
    assert colours == sorted(colours)


def test_a_picture_that_is_linked_to_is_not_painted() -> None:
    assert pictures(answered(linked=True)).pictures[0].versions == ()


@pytest.mark.parametrize("seed", range(40))
def test_no_two_pictures_of_a_request_are_alike(seed: int) -> None:
    assert len(set(seeds(answered(seed, n=10)))) == 10


def test_pictures_follow_from_prompt_and_seed() -> None:
    assert seeds(answered(n=3)) == seeds(answered(n=3))
    assert seeds(answered()) != seeds(answered(text="a cat"))
    every = {made for seed in range(200) for made in seeds(answered(seed, linked=True))}
    assert len(every) == VARIETY


def test_pictures_cost_tokens_and_time() -> None:
    completion = answered(n=2, quality="high")
    (one, two) = completion.choices
    assert one.tokens == two.tokens == tokens(Canvas(0, 64, 32), "high")
    assert (completion.usage.prompt, completion.usage.completion) == (3, 2 * one.tokens)


@pytest.mark.parametrize(
    ("size", "quality", "expected"),
    [
        ((1024, 1024), "low", 272),
        ((1536, 1024), "medium", 1568),
        ((1024, 1536), "high", 6240),
        ((512, 512), "medium", 264),
        ((2048, 2048), "medium", 4224),
        ((16, 16), "low", 1),
    ],
)
def test_tokens_by_size_and_quality(size: tuple[int, int], quality: str, expected: int) -> None:
    assert tokens(Canvas(0, *size), quality) == expected


@pytest.mark.parametrize("quality", TOKENS)
def test_every_quality_costs_more_than_the_one_before(quality: str) -> None:
    better = list(TOKENS)[list(TOKENS).index(quality) + 1 :]
    assert all(TOKENS[quality] < TOKENS[other] for other in better)


def test_pictures_that_are_sent_along_are_counted() -> None:
    task = Paint(Canvas(0, 64, 32), linked=True)
    images = (Image("high", 512, 512), Image("high", 0, 0))
    request = Request(MODEL, (Message("user", "a beret", images=images),), task=task)
    inputs = drawn(request, settings(MODEL))
    assert pictures(paint(request, task, inputs)).seen == 255 + 765
    assert inputs.prompt_tokens == 255 + 765 + 3
