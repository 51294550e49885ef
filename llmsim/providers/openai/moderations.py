"""OpenAI's moderations (``types.moderation_create_params``, ``types.moderation``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from llmsim.core import (
    Completion,
    Image,
    Message,
    Moderate,
    Request,
    Stamp,
    Verdict,
    Verdicts,
)
from llmsim.core.errors import invalid
from llmsim.providers import rules
from llmsim.providers.openai import errors, strict
from llmsim.providers.openai.chat.messages import TextPart
from llmsim.providers.rules import Breach, Rules
from llmsim.providers.wire import attachments
from llmsim.providers.wire.decoding import MalformedBody, decode

MODEL = "omni-moderation-latest"

# The categories that pictures are judged by as well (the moderation guide's table).
WITH_IMAGES = frozenset(
    (
        "self-harm",
        "self-harm/intent",
        "self-harm/instructions",
        "sexual",
        "violence",
        "violence/graphic",
    )
)


class ModerationImageUrl(Struct):
    url: str


class ModerationImagePart(Struct, tag="image_url", tag_field="type"):
    image_url: ModerationImageUrl


class ModerationRequest(Struct):
    input: str | Annotated[list[str | TextPart | ModerationImagePart], Meta(min_length=1)]
    model: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


_decoder = msgspec.json.Decoder(ModerationRequest)


RULES: Rules[ModerationRequest] = Rules()


@RULES.row(
    "moderation-model",
    "Invalid value for 'model' = {model}. Please check the OpenAI documentation and try again.",
    strict.SEEN,
)
def _moderation_model(wire: ModerationRequest) -> Iterator[Breach]:
    if strict.known_kind(wire.model or MODEL) not in (None, "moderation"):
        yield Breach("model", {"model": wire.model})


@RULES.row(
    "moderation-images",
    "Invalid type for 'input': model {model} only takes text.",
    "guide to moderation",
    models=rules.models("text moderation", r"text-moderation-.*"),
)
def _moderation_images(wire: ModerationRequest) -> Iterator[Breach]:
    if any(isinstance(one, ModerationImagePart) for one in wire.input):
        yield Breach("input", {"model": wire.model})


class OpenAIModerations:
    """``POST /v1/moderations``. ``strict`` refuses all that the live service refuses."""

    name = "openai_moderations"

    def __init__(self, strict: bool = False) -> None:
        self._strict = strict

    def decode(self, body: bytes) -> Request:
        try:
            wire = decode(_decoder, body)
        except MalformedBody as mistake:
            raise errors.refuse(mistake) from None
        if self._strict:
            model = wire.model or MODEL
            strict.check_fields(body, self.name, model)
            RULES.check(wire, model)
        return Request(wire.model or MODEL, _messages(wire.input), wire=wire, task=Moderate())

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        assert isinstance(completion.made, Verdicts)
        results = [
            _result(message, verdict)
            for message, verdict in zip(request.messages, completion.made.verdicts, strict=True)
        ]
        return orjson.dumps(
            {"id": f"modr-{stamp.mark}", "model": request.model, "results": results}
        )


def _messages(value: str | list[str | TextPart | ModerationImagePart]) -> tuple[Message, ...]:
    """A message for each string, or one of all parts together. Raises BadRequest for a mix."""
    if isinstance(value, str):
        return (Message("user", value),)
    texts = [one for one in value if isinstance(one, str)]
    if len(texts) == len(value):
        return tuple(Message("user", text) for text in texts)
    if texts:
        message = (
            "Invalid type for 'input': expected a string, an array of strings or an array of "
            "objects, but got an array of several types."
        )
        raise invalid(message, "input", "invalid_type")
    text = " ".join(part.text for part in value if isinstance(part, TextPart))
    urls = [part.image_url.url for part in value if isinstance(part, ModerationImagePart)]
    mark = 0
    for url in urls:
        mark = attachments.mark(url, mark)
    return (Message("user", text, images=(Image(),) * len(urls), mark=mark),)


def _result(message: Message, verdict: Verdict) -> dict[str, Any]:
    applied = ["text"] if message.text or not message.images else []
    seen = [*applied, "image"] if message.images else applied
    return {
        "flagged": bool(verdict.flagged),
        "categories": {name: name in verdict.flagged for name in verdict.scores},
        "category_scores": dict(verdict.scores),
        "category_applied_input_types": {
            name: seen if name in WITH_IMAGES else applied for name in verdict.scores
        },
    }
