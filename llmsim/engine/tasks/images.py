"""Pictures without a model: fields of colour that follow from the prompt and the seed."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from msgspec.structs import replace

from llmsim.core import Canvas, Choice, Completion, Finish, Paint, Picture, Pictures, Request, Usage
from llmsim.engine.compose import PlanInputs
from llmsim.engine.painting import painted, required
from llmsim.engine.seeds import BITS, mix
from llmsim.engine.tokens.image_tokens import image_tokens

# Output tokens of a picture by quality: square, wide, tall. Low to high are those of OpenAI's
# guide to image generation for 1024 × 1024, 1536 × 1024 and 1024 × 1536, the others are our own.
TOKENS: Final = {
    "low": (272, 400, 408),
    "medium": (1056, 1568, 1584),
    "high": (4160, 6208, 6240),
    "xhigh": (6240, 9312, 9360),
    "max": (8320, 12416, 12480),
}
SQUARE: Final = 1024 * 1024
OBLONG: Final = 1536 * 1024

# Different pictures of one prompt: painting takes a tenth of a second, so those that are asked
# for again should be at hand. More than a request may ask for, none of which are alike.
VARIETY = 12

# Salts a request's seed for its pictures.
PICTURE = 3000


def paint(request: Request, task: Paint, inputs: PlanInputs) -> Completion:
    """``request.n`` pictures of the prompt, each with a choice for its clock.

    Raises BadRequest where Pillow is not installed.
    """
    required()
    about = request.messages[0]
    content = mix(crc32(about.text.encode(errors="replace")), about.mark)
    count = tokens(task.canvas, task.quality)
    first = mix(inputs.seed, PICTURE)
    made = []
    for index in range(request.n):
        variant = (first + index) % VARIETY
        seed = mix(content, variant) >> (64 - BITS)
        canvas = replace(task.canvas, seed=seed)
        versions = range(task.partial, -1, -1) if not task.linked else ()
        made.append(Picture(canvas, tuple(painted(canvas, left) for left in versions)))
    choices = tuple(Choice((), count, Finish.STOP) for _ in made)
    usage = Usage(inputs.prompt_tokens, count * len(made))
    seen = sum(image_tokens(image, request.model) for image in about.images)
    return Completion(choices, usage, Pictures(tuple(made), seen))


def tokens(canvas: Canvas, quality: str) -> int:
    """Output tokens of such a picture; other sizes than those published go by their area."""
    square, wide, tall = TOKENS[quality]
    area = canvas.width * canvas.height
    if canvas.width == canvas.height:
        return max(1, round(square * area / SQUARE))
    return max(1, round((wide if canvas.width > canvas.height else tall) * area / OBLONG))
