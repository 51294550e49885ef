"""How many tokens a picture in a prompt is."""

from __future__ import annotations

import math
from typing import Final

from llmsim.core import Image
from llmsim.core.catalog.prompt_rules import PatchRule, TileRule, prompt_rules

ASSUMED: Final = 1024
"""Width and height in pixels of a picture of unknown size: one that is only linked to."""
LOW: Final = 512
"""Width and height in pixels in which a picture is seen in low detail."""
PATCH: Final = 32
MOST_PATCHES: Final = 1536
PER_TOKEN: Final = 750  # square pixels
LARGEST_AREA: Final = 1600


def image_tokens(image: Image, model: str) -> int:
    """Tokens of a picture, by the rule of the provider and of the model's family."""
    if image.rule == "area":
        return _by_area(image)
    rule = prompt_rules(model).image
    return _by_patches(image, rule) if isinstance(rule, PatchRule) else _by_tiles(image, rule)


def _by_tiles(image: Image, rule: TileRule) -> int:
    """The base in low detail, else that and so much for each 512-pixel tile.

    The picture is first fitted into 2048 × 2048, then its shorter side is brought down to 768
    (OpenAI's guide to images and vision).
    """
    if image.detail == "low":
        return rule.base
    width, height = _size(image)
    fit = min(1.0, 2048 / max(width, height))
    shrink = min(1.0, 768 / (min(width, height) * fit)) * fit
    across = -(-max(1, round(width * shrink)) // 512)
    down = -(-max(1, round(height * shrink)) // 512)
    return rule.base + rule.tile * across * down


def _by_patches(image: Image, rule: PatchRule) -> int:
    """So much for each patch of 32 × 32 pixels.

    A picture of more than 1,536 patches is shrunk until it has no more, and whole patches in one
    direction (OpenAI's guide to images and vision). In low detail it is fitted into 512 × 512.
    """
    width, height = map(float, _size(image))
    if image.detail == "low":
        fit = min(1.0, LOW / max(width, height))
        width, height = width * fit, height * fit
    if math.ceil(width / PATCH) * math.ceil(height / PATCH) > MOST_PATCHES:
        shrink = math.sqrt(PATCH**2 * MOST_PATCHES / (width * height))
        across, down = width * shrink / PATCH, height * shrink / PATCH
        shrink *= min(max(1, math.floor(side)) / side for side in (across, down))
        width, height = width * shrink, height * shrink
    # A side that was brought to whole patches may be a hair more than that.
    patches = math.ceil(round(width / PATCH, 6)) * math.ceil(round(height / PATCH, 6))
    return math.ceil(min(patches, MOST_PATCHES) * rule.factor)


def _by_area(image: Image) -> int:
    """Width × height / 750, once the longer side is brought down to 1568; 1600 at most.

    Anthropic's guide to vision. A picture of unknown size counts as the largest there is.
    """
    if not (image.width and image.height):
        return LARGEST_AREA
    fit = min(1.0, 1568 / max(image.width, image.height))
    area = max(1, round(image.width * fit)) * max(1, round(image.height * fit))
    return min(-(-area // PER_TOKEN), LARGEST_AREA)


def _size(image: Image) -> tuple[int, int]:
    return (image.width, image.height) if image.width and image.height else (ASSUMED, ASSUMED)
