"""OpenAI's images (``types.images_response``, ``types.image_gen_*_event``,
``types.image_edit_*_event``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import orjson

from llmsim.dialects import openai, openai_images_request, sse
from llmsim.dialects.openai_images_request import ImageRequest, Purpose
from llmsim.errors import Failure
from llmsim.exchange import (
    Ask,
    Canvas,
    Headers,
    Paint,
    Picture,
    Pictures,
    Plan,
    Reply,
    Script,
    Stamp,
)

EVENTS: Final[dict[Purpose, str]] = {
    "generations": "image_generation",
    "edits": "image_edit",
    "variations": "image_edit",  # of which there are no streams
}


class OpenAIImages:
    """``POST /v1/images/generations``, ``/edits`` and ``/variations``.

    ``link`` gives the address under which a picture can be fetched.
    """

    name = "openai_images"

    def __init__(self, purpose: Purpose, link: Callable[[Canvas], str]) -> None:
        self._purpose = purpose
        self._link = link

    def decode(self, body: bytes) -> Ask:
        return openai_images_request.read(body, self._purpose)

    def failure(self, failure: Failure, stamp: Stamp) -> tuple[int, bytes]:
        return openai.failure(failure)

    def broken(self, ask: Ask, failure: Failure, stamp: Stamp, sent: int) -> bytes:
        return sse.event(openai.failure(failure)[1], b"error")

    def retry(self, after: float) -> Headers:
        return openai.retry(after)

    def headers(self, plan: Plan, stamp: Stamp) -> Headers:
        return openai.head(plan, stamp)

    def plain(self, ask: Ask, reply: Reply, stamp: Stamp) -> bytes:
        wire: ImageRequest = ask.wire
        pictures = _pictures(reply).pictures
        told: dict[str, Any] = {
            "created": stamp.created,
            "data": [self._told(picture, wire) for picture in pictures],
        }
        if not wire.old:
            told |= _about(ask) | {"usage": _usage(reply, reply.usage.completion)}
        return orjson.dumps(told)

    def script(self, ask: Ask, reply: Reply, stamp: Stamp) -> Script:
        """Each picture's unfinished versions at even intervals, and itself when it is done."""
        frames: list[bytes] = []
        beats: list[int] = []
        offset = 0
        about = {"created_at": stamp.created, **_about(ask)}
        for choice, picture in zip(reply.choices, _pictures(reply).pictures, strict=True):
            count = len(picture.versions)
            usage = _usage(reply, choice.tokens)
            for place, version in enumerate(picture.versions):
                done = place == count - 1
                rest = {"usage": usage} if done else {"partial_image_index": place}
                kind = f"{EVENTS[self._purpose]}.{'completed' if done else 'partial_image'}"
                told = {"type": kind, "b64_json": _base64(version), **about, **rest}
                frames.append(sse.event(orjson.dumps(told), kind.encode()))
                beats.append(offset + max(0, choice.beats * (place + 1) // count - 1))
            offset += choice.beats
        return Script(sse.Spliced(b"", frames), np.array(beats, np.int64))

    def _told(self, picture: Picture, wire: ImageRequest) -> dict[str, Any]:
        given = {"url": self._link(picture.canvas)}
        if picture.versions:
            given = {"b64_json": _base64(picture.versions[-1])}
        return {**given, "revised_prompt": wire.prompt} if wire.old else given


def _pictures(reply: Reply) -> Pictures:
    assert isinstance(reply.made, Pictures)
    return reply.made


def _about(ask: Ask) -> dict[str, str]:
    task = ask.task
    assert isinstance(task, Paint)
    return {
        "background": "transparent" if task.canvas.transparent else "opaque",
        "output_format": task.canvas.form,
        "quality": task.quality,
        "size": f"{task.canvas.width}x{task.canvas.height}",
    }


def _usage(reply: Reply, output: int) -> dict[str, Any]:
    prompt, seen = reply.usage.prompt, _pictures(reply).seen
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"image_tokens": seen, "text_tokens": prompt - seen},
        "output_tokens": output,
        "output_tokens_details": {"image_tokens": output, "text_tokens": 0},
        "total_tokens": prompt + output,
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
