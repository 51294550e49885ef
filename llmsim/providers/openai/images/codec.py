"""OpenAI's images (``types.images_response``, ``types.image_gen_*_event``,
``types.image_edit_*_event``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import orjson

from llmsim.core import (
    Canvas,
    Completion,
    Paint,
    Picture,
    Pictures,
    Request,
    Stamp,
    StreamScript,
)
from llmsim.core.errors import Failure
from llmsim.providers.openai import errors as openai_errors
from llmsim.providers.openai.images import params
from llmsim.providers.openai.images import strict as images_strict
from llmsim.providers.openai.images.params import ImageRequest, Purpose
from llmsim.providers.wire import sse
from llmsim.providers.wire.beats import BeatRuns

EVENTS: Final[dict[Purpose, str]] = {
    "generations": "image_generation",
    "edits": "image_edit",
    "variations": "image_edit",  # of which there are no streams
}


class OpenAIImages:
    """``POST /v1/images/generations``, ``/edits`` and ``/variations``.

    ``link`` gives the address under which a picture can be fetched. ``strict`` refuses all that
    the live service refuses.
    """

    name = "openai_images"

    def __init__(
        self, purpose: Purpose, link: Callable[[Canvas], str], strict: bool = False
    ) -> None:
        self._strict = strict
        self._purpose = purpose
        self._link = link

    def decode(self, body: bytes) -> Request:
        request = params.read(body, self._purpose)
        if self._strict:
            images_strict.check(body, request.wire, self._purpose)
        return request

    def error_event(
        self, request: Request, completion: Completion, failure: Failure, stamp: Stamp, sent: int
    ) -> bytes:
        return sse.event(openai_errors.failure(failure)[1], b"error")

    def plain(self, request: Request, completion: Completion, stamp: Stamp) -> bytes:
        wire: ImageRequest = request.wire
        pictures = _pictures(completion).pictures
        body: dict[str, Any] = {
            "created": stamp.created,
            "data": [self._picture_object(picture, wire) for picture in pictures],
        }
        if not wire.legacy:
            body |= _about(request) | {"usage": _usage(completion, completion.usage.completion)}
        return orjson.dumps(body)

    def script(self, request: Request, completion: Completion, stamp: Stamp) -> StreamScript:
        """Each picture's unfinished versions at even intervals, and itself when it is done."""
        frames: list[bytes] = []
        beats: list[int] = []
        offset = 0
        about = {"created_at": stamp.created, **_about(request)}
        for choice, picture in zip(completion.choices, _pictures(completion).pictures, strict=True):
            count = len(picture.versions)
            usage = _usage(completion, choice.tokens)
            del usage["output_tokens_details"]  # events have none
            for place, version in enumerate(picture.versions):
                done = place == count - 1
                rest = {"usage": usage} if done else {"partial_image_index": place}
                kind = f"{EVENTS[self._purpose]}.{'completed' if done else 'partial_image'}"
                event = {"type": kind, "b64_json": _base64(version), **about, **rest}
                frames.append(sse.event(orjson.dumps(event), kind.encode()))
                beats.append(offset + max(0, choice.beats * (place + 1) // count - 1))
            offset += choice.beats
        return StreamScript(sse.Spliced(b"", frames), BeatRuns([(beats, 0)]))

    def _picture_object(self, picture: Picture, wire: ImageRequest) -> dict[str, Any]:
        fields = {"url": self._link(picture.canvas)}
        if picture.versions:
            fields = {"b64_json": _base64(picture.versions[-1])}
        return {**fields, "revised_prompt": wire.prompt} if wire.legacy else fields


def _pictures(completion: Completion) -> Pictures:
    assert isinstance(completion.made, Pictures)
    return completion.made


def _about(request: Request) -> dict[str, str]:
    task = request.task
    assert isinstance(task, Paint)
    return {
        "background": "transparent" if task.canvas.transparent else "opaque",
        "output_format": task.canvas.form,
        "quality": task.quality,
        "size": f"{task.canvas.width}x{task.canvas.height}",
    }


def _usage(completion: Completion, output: int) -> dict[str, Any]:
    prompt, seen = completion.usage.prompt, _pictures(completion).seen
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"image_tokens": seen, "text_tokens": prompt - seen},
        "output_tokens": output,
        "output_tokens_details": {"image_tokens": output, "text_tokens": 0},
        "total_tokens": prompt + output,
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
