"""Images: what the live service refuses beyond malformed requests."""

from __future__ import annotations

from collections.abc import Iterator

from llmsim.providers import rules
from llmsim.providers.openai.images.params import MODEL, ImageRequest, Purpose
from llmsim.providers.openai.strict import (
    API,
    SEEN,
    check_names,
    check_text_length,
    known_kind,
    listed,
)
from llmsim.providers.rules import Breach, Rules
from llmsim.providers.wire import multipart
from llmsim.providers.wire.decoding import json_values

GPT_IMAGE = rules.models("GPT Image", r"(gpt-image-|chatgpt-image-).*")
DALL_E = rules.models("DALL\u00b7E", r"dall-e-.*")
DALL_E_2 = rules.models("DALL\u00b7E 2", r"dall-e-2")
DALL_E_3 = rules.models("DALL\u00b7E 3", r"dall-e-3")

LONGEST = {"dall-e-2": 1000, "dall-e-3": 4000}
SIZES = {
    "dall-e-2": ("256x256", "512x512", "1024x1024"),
    "dall-e-3": ("1024x1024", "1792x1024", "1024x1792"),
}
ALSO = ("images", "image[]", "markup")
"""Fields of edits whose pictures come in JSON, or several at once."""

RULES: Rules[ImageRequest] = Rules()


def check(body: bytes, params: ImageRequest, purpose: Purpose) -> None:
    """Raises BadRequest for the first rule that a request breaks."""
    form = multipart.read(body)
    values = json_values(body) if form is None else {**form.fields, **form.files}
    check_names(_unlisted(values), f"openai_images_{purpose}", ALSO)
    RULES.check(params, params.model or MODEL)


def _unlisted(values: object) -> object:
    """The fields of a body whose values are looked at: pictures are not."""
    if not isinstance(values, dict):
        return values
    return {name: None if name in ("image", "mask") else one for name, one in values.items()}


@RULES.row(
    "image-model",
    "Invalid value: '{model}'. Value must be 'dall-e-2', 'dall-e-3', or one of the GPT image "
    "models.",
    SEEN,
    code="invalid_value",
)
def _image_model(params: ImageRequest) -> Iterator[Breach]:
    if known_kind(params.model or MODEL) not in (None, "image"):
        yield Breach("model", {"model": params.model})


@RULES.checked(
    "prompt-length",
    "Invalid '{where}': string too long. Expected a string with maximum length {most}, but got a "
    "string with length {length} instead.",
    API,
    models=DALL_E,
)
def _prompt_length(params: ImageRequest) -> None:
    check_text_length(params.prompt or "", "prompt", LONGEST.get(params.model or "", 32_000))


@RULES.row(
    "one-image", "You must provide n=1 for this model.", SEEN, code="invalid_value", models=DALL_E_3
)
def _one_image(params: ImageRequest) -> Iterator[Breach]:
    if (params.n or 1) > 1:
        yield Breach("n")


@RULES.row(
    "image-size",
    "Invalid value: '{size}'. Supported values are: {known}.",
    API,
    code="invalid_value",
    models=DALL_E,
)
def _image_size(params: ImageRequest) -> Iterator[Breach]:
    known = SIZES.get(params.model or "", ())
    if params.size is not None and known and params.size not in known:
        yield Breach("size", {"size": params.size, "known": listed(known)})


@RULES.row(
    "image-quality",
    "Invalid value: '{quality}'. Supported values are: {known}.",
    API,
    code="invalid_value",
)
def _image_quality(params: ImageRequest) -> Iterator[Breach]:
    quality, model = params.quality, params.model or MODEL
    if quality is None:
        return
    known: tuple[str, ...] = ("low", "medium", "high", "xhigh", "max", "auto")
    if model == "dall-e-3":
        known = ("standard", "hd", "auto")
    elif model == "dall-e-2":
        known = ("standard", "auto")
    if quality not in known:
        yield Breach("quality", {"quality": quality, "known": listed(known)})


@RULES.row(
    "response-format",
    "Unknown parameter: '{where}'.",
    SEEN,
    code="unknown_parameter",
    models=GPT_IMAGE,
)
def _response_format(params: ImageRequest) -> Iterator[Breach]:
    if params.response_format is not None:
        yield Breach("response_format")


@RULES.row(
    "gpt-image-only",
    "Unknown parameter: '{where}'.",
    SEEN,
    code="unknown_parameter",
    models=DALL_E,
)
def _gpt_image_only(params: ImageRequest) -> Iterator[Breach]:
    for name in ("background", "output_compression", "output_format", "partial_images", "stream"):
        if getattr(params, name) is not None:
            yield Breach(name)
