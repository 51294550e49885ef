"""Pictures without a model: fields of colour that follow from the prompt and the seed."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np
from msgspec.structs import replace

from llmsim.core import Canvas, Choice, Completion, Finish, Paint, Picture, Pictures, Request, Usage
from llmsim.core.errors import BadRequest, Failure, FailureKind
from llmsim.engine.compose import PlanInputs
from llmsim.engine.seeds import BITS, mix
from llmsim.engine.tokens.image_tokens import image_tokens

if TYPE_CHECKING:
    from PIL.Image import Image

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
AT_HAND = 32

# Salts a request's seed for its pictures.
PICTURE = 3000
# Colours across a picture, and across its first unfinished version.
FIELDS = 5
COARSE = 8


NO_PILLOW: Final = Failure(
    FailureKind.SERVER_ERROR,
    "Images need Pillow, which is not installed with this llmsim: pip install 'llmsim[images]'",
    status=501,
)


def paint(request: Request, task: Paint, inputs: PlanInputs) -> Completion:
    """``request.n`` pictures of the prompt, each with a choice for its clock.

    Raises BadRequest where Pillow is not installed.
    """
    if find_spec("PIL") is None:
        raise BadRequest(NO_PILLOW)
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


def preload() -> None:
    """Import what painting takes, if it is there: 20 ms and more, which no request has to wait."""
    if find_spec("PIL") is not None:
        painted(Canvas(0, 16, 16))


def tokens(canvas: Canvas, quality: str) -> int:
    """Output tokens of such a picture; other sizes than those published go by their area."""
    square, wide, tall = TOKENS[quality]
    area = canvas.width * canvas.height
    if canvas.width == canvas.height:
        return max(1, round(square * area / SQUARE))
    return max(1, round((wide if canvas.width > canvas.height else tall) * area / OBLONG))


@lru_cache(maxsize=AT_HAND)
def painted(canvas: Canvas, left: int = 0) -> bytes:
    """The picture as a file; ``left`` is how many versions away it is from being done."""
    image = _image(canvas)
    if left:
        cells = max(1, COARSE * 4 >> left)
        size = (min(cells, canvas.width), min(cells, canvas.height))
        image = image.resize(size).resize(image.size, 0)
    file = BytesIO()
    image.save(file, canvas.form.upper(), **_options(canvas))
    return file.getvalue()


def _options(canvas: Canvas) -> dict[str, Any]:
    match canvas.form:
        case "png":
            return {"compress_level": 1}
        case "jpeg":
            return {"quality": canvas.compression}
        case "webp":
            return {"quality": canvas.compression, "method": 0}


def _image(canvas: Canvas) -> Image:
    # Imported late: it is an extra, and a server that never paints starts sooner.
    from PIL import Image  # noqa: PLC0415

    channels = 4 if canvas.transparent else 3
    generator = np.random.Generator(np.random.PCG64(canvas.seed))
    colours = generator.integers(0, 256, (FIELDS, FIELDS, channels), np.uint8)
    size = (canvas.width, canvas.height)
    return Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC)
