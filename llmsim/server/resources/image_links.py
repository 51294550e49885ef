"""Pictures that are linked to: their names say all that is needed to paint them, and are signed,
so that any worker serves every picture of this launch and no other."""

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
    """Names pictures. ``secret`` is known to all workers of a launch."""

    def __init__(self, secret: int) -> None:
        self._key = secret.to_bytes(16, "big")

    def path(self, canvas: Canvas) -> str:
        """Where the picture is served."""
        told = _told(canvas)
        return f"{PATH}{told}-{self._signature(told, canvas.form)}.{canvas.form}"

    def find(self, name: str) -> Canvas | None:
        """The picture of that name; None if none was ever linked to under it."""
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
        expected = self._signature(_told(canvas), canvas.form)
        return canvas if compare_digest(signature, expected) else None

    def _signature(self, told: str, form: str) -> str:
        return blake2b(f"{told}.{form}".encode(), digest_size=8, key=self._key).hexdigest()


def _told(canvas: Canvas) -> str:
    background = "t" if canvas.transparent else "o"
    size = f"{canvas.width}x{canvas.height}"
    return f"{canvas.seed:012x}-{size}-{background}{canvas.compression}"
