"""Links to images: the name of an image says all that is needed to paint it, and is signed, so that
any worker serves every image of this launch and no other."""

from __future__ import annotations

import re
from hashlib import blake2b
from hmac import compare_digest

from llmsim.core import Canvas

PATH = "/llmsim/images/"
_NAME = re.compile(
    r"([0-9a-f]{12})-([0-9]{1,5})x([0-9]{1,5})-([to])([0-9]{1,3})-([0-9a-f]{16})\.(png|jpeg|webp)",
    re.ASCII,
)


class ImageLinks:
    """Makes and reads links. ``secret`` is known to all workers of a launch."""

    def __init__(self, secret: int) -> None:
        self._key = secret.to_bytes(16, "big")

    def path(self, canvas: Canvas) -> str:
        """The path under which the image is served."""
        description = _description(canvas)
        signature = self._signature(description, canvas.form)
        return f"{PATH}{description}-{signature}.{canvas.form}"

    def find(self, name: str) -> Canvas | None:
        """The image of that name; None if no link ever had it."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        seed, width, height, background, compression, signature, form = found.groups()
        canvas = Canvas(
            int(seed, 16),
            int(width),
            int(height),
            form,  # type: ignore[arg-type]  # one of the three the pattern allows
            background == "t",
            int(compression),
        )
        expected = self._signature(_description(canvas), canvas.form)
        return canvas if compare_digest(signature, expected) else None

    def _signature(self, description: str, form: str) -> str:
        return blake2b(f"{description}.{form}".encode(), digest_size=8, key=self._key).hexdigest()


def _description(canvas: Canvas) -> str:
    background = "t" if canvas.transparent else "o"
    size = f"{canvas.width}x{canvas.height}"
    return f"{canvas.seed:012x}-{size}-{background}{canvas.compression}"
