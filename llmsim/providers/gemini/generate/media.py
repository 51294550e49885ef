"""Gemini: media in a prompt, and how many tokens they are (``Blob`` and ``FileData`` of
google-genai 3.4's types)."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from msgspec import Struct

from llmsim.providers.wire import attachments

# Tokens by the documentation's "Understand and count tokens": 258 a tile of a picture and a
# page, 263 a second of video, 32 a second of audio.
TILE = 258
PAGE = 258
VIDEO_SECOND = 263
AUDIO_SECOND = 32
SMALL = 384  # pixels: a picture no wider and no higher is one tile
LEAST_TILE, MOST_TILE = 256, 768  # pixels across
# Bytes of a page, and of a second of video and audio as they are usually encoded. Nobody decodes
# media to count their tokens; the order of size is enough.
PAGE_BYTES = 50_000
VIDEO_BYTES = 125_000
AUDIO_BYTES = 16_000
TEXT_BYTES = 4  # a token

Modality: TypeAlias = str
"""As the wire names it: TEXT, IMAGE, VIDEO, AUDIO, DOCUMENT."""


class Blob(Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class FileData(Struct, rename="camel"):
    file_uri: str = ""
    mime_type: str | None = None


class Medium(NamedTuple):
    """One piece of media: its modality, its tokens, and its data or address."""

    modality: Modality
    tokens: int
    content: str


def inline_medium(blob: Blob) -> Medium:
    """Data sent with the request."""
    size = len(blob.data) * 3 // 4
    if blob.mime_type == "application/pdf":
        modality, tokens = "DOCUMENT", PAGE * -(-size // PAGE_BYTES)
    else:
        match blob.mime_type.partition("/")[0]:
            case "image":
                modality, tokens = "IMAGE", TILE * tiles(*attachments.size(blob.data))
            case "video":
                modality, tokens = "VIDEO", VIDEO_SECOND * -(-size // VIDEO_BYTES)
            case "audio":
                modality, tokens = "AUDIO", AUDIO_SECOND * -(-size // AUDIO_BYTES)
            case _:
                modality, tokens = "TEXT", -(-size // TEXT_BYTES)
    return Medium(modality, tokens, blob.data)


def linked_medium(file: FileData) -> Medium:
    """A file at an address, which cannot be looked into: it counts as one tile, page or second."""
    match (file.mime_type or "").partition("/")[0]:
        case "image":
            modality, tokens = "IMAGE", TILE
        case "video":
            modality, tokens = "VIDEO", VIDEO_SECOND
        case "audio":
            modality, tokens = "AUDIO", AUDIO_SECOND
        case _:
            modality, tokens = "DOCUMENT", PAGE
    return Medium(modality, tokens, file.file_uri)


def tiles(width: int, height: int) -> int:
    """How many tiles a picture is cut into: each two thirds of its shorter side across. One if
    its size is not known (0, 0)."""
    if width <= SMALL and height <= SMALL:
        return 1
    across = min(max(min(width, height) * 2 // 3, LEAST_TILE), MOST_TILE)
    return -(-width // across) * -(-height // across)
