"""What is kept of one exchange: the bytes of its request and response, and when each came.

The format is version 1. One recording is one JSON object on a line of its own; ``llmsim recordings
schema`` prints its JSON Schema. Times are in seconds, ``arrived`` as a Unix time and all others
counted from it. A field that has its default is left out of the line.
"""

from __future__ import annotations

import base64
from enum import Enum
from typing import Final

from msgspec import Struct, field

VERSION: Final = 1

Pairs = list[tuple[str, str]]
"""Headers, or what else has names that may come twice, in their order."""


class Transport(Enum):
    """How the request came."""

    HTTP = "http"
    WEBSOCKET = "websocket"  # one turn of a session: a message, and those that answer it


class ResponseEnd(Enum):
    """How the response ended."""

    WHOLE = "whole"
    CUT = "cut"  # the service closed the connection within it
    RESET = "reset"  # the service reset the connection within it
    TIMEOUT = "timeout"  # the service said nothing for too long
    UNANSWERED = "unanswered"  # no first byte came
    LEFT = "left"  # the client went away before its end


class Payload(Struct, frozen=True, omit_defaults=True):
    """Bytes in JSON: as ``text`` where they are UTF-8, else as ``base64``."""

    text: str = ""
    base64: str = ""

    @classmethod
    def of(cls, content: bytes) -> Payload:
        """These bytes."""
        try:
            return cls(text=content.decode())
        except UnicodeDecodeError:
            return cls(base64=base64.b64encode(content).decode())

    @property
    def content(self) -> bytes:
        """The bytes. Raises ValueError where ``base64`` is none."""
        if self.base64:
            return base64.b64decode(self.base64, validate=True)
        return self.text.encode()


class RecordedRequest(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the client sent. ``path`` is still encoded, ``query`` what follows the question mark."""

    method: str = "POST"
    path: str
    query: str = ""
    headers: Pairs = []
    body: Payload = Payload()
    transport: Transport = Transport.HTTP


class RecordedFrame(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Bytes that came together, ``at`` seconds after the request's arrival.

    ``tokens`` is how many completion tokens the client knew more of after it, reasoning that is
    shown included; ``in_flight`` how many requests to the same model were open then, this one
    among them, 0 where that is not known.
    """

    at: float
    body: Payload = Payload()
    tokens: int = 0
    in_flight: int = 0


class RecordedResponse(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the service sent. ``at`` is when its head came, ``ended`` when its last byte did, or
    when it was clear that none would; ``status`` is 0 where no head came."""

    status: int = 0
    headers: Pairs = []
    at: float = 0.0
    frames: list[RecordedFrame] = []
    end: ResponseEnd = ResponseEnd.WHOLE
    ended: float = 0.0

    @property
    def content(self) -> bytes:
        """The whole body."""
        return b"".join(frame.body.content for frame in self.frames)


class RecordedUsage(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Tokens, as the service counted them. ``cached`` of the prompt's came from a cache,
    ``reasoning`` of the completion's were thought."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    cached: int = 0


class Replaced(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What anonymising has replaced: how many values of each kind, and whether the text has
    another number of tokens for it."""

    mode: str
    kinds: dict[str, int] = {}
    tokens_changed: bool = False


class Recording(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One exchange.

    ``id`` is unique in its folder and beyond. ``provider`` and ``endpoint`` are named as
    statistics name them, ``key`` says which requests it answers when it is replayed.
    ``in_flight`` counts the open requests to the same model at its arrival, this one among them.
    ``correlation`` holds what joins it with other systems: ``x-request-id``, ``traceparent``,
    the answer's id. ``stream`` says whether the answer was asked for as a stream.
    """

    version: int = field(default=VERSION)
    id: str
    arrived: float
    provider: str = ""
    endpoint: str = ""
    model: str = ""
    stream: bool = False
    request: RecordedRequest
    response: RecordedResponse
    usage: RecordedUsage | None = None
    in_flight: int = 0
    correlation: dict[str, str] = {}
    key: str = ""
    anonymised: Replaced | None = None
