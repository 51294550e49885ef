"""Pictures as files: fields of colour that a seed decides."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from llmsim.core import Canvas
from llmsim.core.errors import BadRequest, Failure, FailureKind

if TYPE_CHECKING:
    from PIL.Image import Image

AT_HAND = 32
"""Pictures that are kept."""

# Colours across a picture, and across its first unfinished version.
FIELDS = 5
COARSE = 8

NO_PILLOW: Final = Failure(
    FailureKind.SERVER_ERROR,
    "Images need Pillow, which is not installed with this llmsim: pip install 'llmsim[images]'",
    status=501,
)


def required() -> None:
    """Raises BadRequest where Pillow is not installed."""
    if find_spec("PIL") is None:
        raise BadRequest(NO_PILLOW)


def preload() -> None:
    """Import what painting takes, if it is there: 20 ms and more, which no request has to wait."""
    if find_spec("PIL") is not None:
        painted(Canvas(0, 16, 16))


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
