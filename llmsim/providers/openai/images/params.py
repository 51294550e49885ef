"""Images: the requests, as openai 3.54's ``image_generate_params``, ``image_edit_params`` and
``image_create_variation_params`` type them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias
from zlib import crc32

import msgspec
from msgspec import Meta, Struct

from llmsim.core import Canvas, Image, Message, Paint, Request
from llmsim.core.errors import BadRequest, invalid
from llmsim.providers.openai.errors import refuse
from llmsim.providers.wire import attachments, multipart
from llmsim.providers.wire.decoding import MalformedBody, decode, malformed_body

Purpose: TypeAlias = Literal["generations", "edits", "variations"]
Quality: TypeAlias = Literal["low", "medium", "high", "xhigh", "max"]

MODEL = "gpt-image-2"
# Models that answer with links by default, and report no usage.
LEGACY = "dall-e-"

SIZE = (1024, 1024)
LEAST_EDGE, MOST_EDGE, MOST_PIXELS = 16, 3840, 3840 * 2160
# The qualities that may be asked for, those of older models among them, and what each becomes.
QUALITIES: dict[str | None, Quality] = {
    None: "medium",
    "auto": "medium",
    "standard": "medium",
    "hd": "high",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}

_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})", re.ASCII)


class Reference(Struct):
    image_url: str | None = None
    file_id: str | None = None


class ImageRequest(Struct):
    """The parameters llmsim reads or checks; every other one is ignored."""

    prompt: Annotated[str, Meta(max_length=32_000)] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    images: Annotated[list[Reference], Meta(min_length=1, max_length=16)] | None = None
    model: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    quality: Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"] | None = (
        None
    )
    response_format: Literal["url", "b64_json"] | None = None
    size: str | None = None
    stream: bool | None = None

    @property
    def legacy(self) -> bool:
        """Whether the model is one from before GPT Image."""
        return (self.model or MODEL).startswith(LEGACY)


_decoder = msgspec.json.Decoder(ImageRequest)


def read(body: bytes, purpose: Purpose) -> Request:
    """The request in neutral terms. Raises BadRequest naming the ``param`` that is wrong."""
    try:
        wire, images, mark = _read(body)
    except MalformedBody as mistake:
        raise refuse(mistake) from None
    if wire.prompt is None and purpose != "variations":
        raise _missing("prompt")
    if not images and purpose != "generations":
        raise _missing("image")
    stream = wire.stream is True and purpose != "variations"
    width, height = size_of(wire.size)
    canvas = Canvas(
        0,
        width,
        height,
        wire.output_format or "png",
        wire.background == "transparent",
        100 if wire.output_compression is None else wire.output_compression,
    )
    if canvas.transparent and canvas.form == "jpeg":
        message = "Transparent background is not supported for JPEG output format."
        raise invalid(message, "background", "invalid_value")
    response_format = wire.response_format or ("url" if wire.legacy else "b64_json")
    task = Paint(
        canvas,
        QUALITIES[wire.quality],
        wire.partial_images or 0 if stream else 0,
        response_format == "url" and not stream,
    )
    return Request(
        wire.model or MODEL,
        (Message("user", wire.prompt or "", images=images, mark=mark),),
        stream=stream,
        n=wire.n or 1,
        wire=wire,
        task=task,
    )


def _read(body: bytes) -> tuple[ImageRequest, tuple[Image, ...], int]:
    """The request, the pictures sent with it, and a mark that sets them apart from any others."""
    form = multipart.read(body)
    if form is None:
        if body.startswith(b"--"):
            raise invalid("Could not parse multipart form.")
        wire = decode(_decoder, body)
        urls = [one.image_url or one.file_id or "" for one in wire.images or ()]
        mark = 0
        for url in urls:
            mark = attachments.mark(url, mark)
        return wire, tuple(_image(url.rpartition(";base64,")[2]) for url in urls), mark
    try:
        wire = msgspec.convert(_fields(form), ImageRequest, strict=False)
    except msgspec.ValidationError as error:
        raise malformed_body(error) from None
    files = _files(form, ("image", "image[]"))
    if files:
        files += _files(form, ("mask", "markup"))
    mark = 0
    for file in files:
        mark = crc32(file, mark)
    heads = (b64encode(file[: attachments.HEAD // 4 * 3]).decode() for file in files)
    return wire, tuple(map(_image, heads)), mark


def _fields(form: multipart.MultipartForm) -> dict[str, Any]:
    """The fields of a form that are not left empty."""
    return {name: value for name, value in form.fields.items() if value}


def _files(form: multipart.MultipartForm, names: Iterable[str]) -> list[bytes]:
    return [file for name in names for file in form.files.get(name, ())]


def _image(encoded: str) -> Image:
    width, height = attachments.size(encoded)
    return Image("high", width, height)


def size_of(size: str | None) -> tuple[int, int]:
    """Width and height in pixels. Raises BadRequest for those that there are not."""
    if size is None or size == "auto":
        return SIZE
    if found := _SIZE.fullmatch(size):
        width, height = int(found[1]), int(found[2])
        edges = min(width, height) >= LEAST_EDGE and max(width, height) <= MOST_EDGE
        if edges and width * height <= MOST_PIXELS:
            return width, height
    message = (
        f"Invalid value: '{size}'. Supported are 'auto' and WIDTHxHEIGHT with edges of "
        f"{LEAST_EDGE} to {MOST_EDGE} pixels and at most {MOST_PIXELS} pixels in all."
    )
    raise invalid(message, "size", "invalid_value")


def _missing(param: str) -> BadRequest:
    message = f"Missing required parameter: '{param}'."
    return invalid(message, param, "missing_required_parameter")
