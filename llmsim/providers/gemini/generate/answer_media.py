"""Gemini: sound and pictures in an answer, as parts with ``inlineData``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from zlib import crc32

from msgspec import Struct

from llmsim.core import Choice, GeneratedText, MediaSizes, TextSegment
from llmsim.core.catalog.models import bare_name
from llmsim.core.errors import invalid
from llmsim.providers.media import png, speech

MODALITIES: Final = ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO")
SOUND_TYPE: Final = f"audio/L16;codec=pcm;rate={speech.RATE}"
PICTURE_TOKENS: Final = 1290
PICTURE_SIZE: Final = 8000
"""Bytes of a picture in an answer, at most."""
SIZES: Final[dict[str, tuple[int, int]]] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
"""Width and height in pixels by aspect ratio: Google's guide to image generation."""


class AnswerMedia(Struct, frozen=True, gc=False):
    """What an answer has in place of its text, or beside it.

    With ``sound`` the text is said. With a ``picture``, of that width and height, there is text
    before it only if ``text`` is wanted, too.
    """

    sound: bool = False
    picture: tuple[int, int] | None = None
    text: bool = True

    @property
    def sizes(self) -> MediaSizes:
        """What it adds to an answer."""
        if self.sound:
            return MediaSizes(token_size=speech.TOKEN_BYTES * 4 // 3 + 100)
        return MediaSizes(tokens=PICTURE_TOKENS, size=PICTURE_SIZE)


def answer_media(
    model: str, modalities: Sequence[str] | None, ratio: str | None
) -> AnswerMedia | None:
    """What is wanted of an answer beside text; None if nothing is. Raises BadRequest."""
    if modalities is None and ratio is None and "image" not in model and "-tts" not in model:
        return None
    wanted = modalities or _usual(model)
    for place, one in enumerate(wanted):
        if one.upper() not in MODALITIES:
            where = f"generation_config.response_modalities[{place}]"
            raise invalid(f"Invalid value at '{where}' (TYPE_ENUM), \"{one}\"", where)
    names = {one.upper() for one in wanted}
    if "AUDIO" in names:
        return AnswerMedia(sound=True)
    if "IMAGE" in names:
        return AnswerMedia(picture=_size(ratio), text="TEXT" in names)
    return None


@lru_cache(maxsize=1024)
def _usual(model: str) -> tuple[str, ...]:
    """What a model answers with that is not asked for anything."""
    name = bare_name(model)
    if name.endswith("-tts"):
        return ("AUDIO",)
    return ("TEXT", "IMAGE") if "-image" in name and name.startswith("gemini") else ("TEXT",)


def _size(ratio: str | None) -> tuple[int, int]:
    size = SIZES.get(ratio or "1:1")
    if size is None:
        known = ", ".join(SIZES)
        where = "generation_config.image_config.aspect_ratio"
        raise invalid(f"* GenerateContentRequest.{where}: must be one of {known}", where)
    return size


def said(choice: Choice, media: AnswerMedia | None) -> bool:
    """Whether a choice has media: one that calls or refuses has none."""
    return media is not None and isinstance(choice.segments[-1], TextSegment)


def sound(generated: GeneratedText, start: int, stop: int) -> bytes:
    """The part for tokens ``start`` to ``stop`` (exclusive) of a text."""
    return _inline(SOUND_TYPE, speech.pcm(generated.text, start, stop))


def sounds(generated: GeneratedText) -> list[bytes]:
    """A part for each piece of a streamed text."""
    made, start = [], 0
    for end in generated.ends:
        made.append(sound(generated, start, end + 1))
        start = end + 1
    return made


def picture(generated: GeneratedText, size: tuple[int, int]) -> bytes:
    """The picture that goes with a text."""
    seed = crc32(generated.text.encode(errors="replace"))
    return _inline("image/png", png.stripes(seed, *size))


def _inline(kind: str, data: bytes) -> bytes:
    return b'{"inlineData":{"mimeType":"%b","data":"%b"}}' % (kind.encode(), b64encode(data))
