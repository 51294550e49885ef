"""Anthropic's Messages as clouds host them: the path says which model it is and whether the answer
is streamed, and the body which version of the API it is for."""

from __future__ import annotations

from typing import Any

import orjson
from msgspec import structs

from llmsim.core import Request
from llmsim.core.catalog.models import hosted_name
from llmsim.core.errors import invalid
from llmsim.providers.anthropic.messages.codec import Anthropic
from llmsim.providers.wire.decoding import MalformedBody, json_values
from llmsim.providers.wire.json_members import with_members
from llmsim.providers.wire.wrapped_codec import WrappedCodec

OWN_FIELDS = ("anthropic_version", "anthropic_beta")
"""What bodies have that Anthropic's own have not: there these are headers."""


class HostedMessages(WrappedCodec):
    """Messages of a hosted ``model``, streamed or not; None for either is for a body that says it.

    ``strict`` refuses all that the live service refuses, and wants ``version`` in the body.
    """

    def __init__(
        self,
        name: str,
        version: str,
        model: str | None = None,
        stream: bool | None = None,
        strict: bool = False,
    ) -> None:
        super().__init__(name, Anthropic(strict))
        self._version = version
        self._model = model
        self._strict = strict
        members: dict[str, Any] = {}
        if model is not None:
            members["model"] = hosted_name(model)
        if stream is not None:
            members["stream"] = stream
        self._members = orjson.dumps(members)[1:-1]

    def decode(self, body: bytes) -> Request:
        model = self._model
        if self._strict:
            body, named = self._checked(body)
            model = model or named
        request = super().decode(with_members(body, self._members) if self._members else body)
        return request if model is None else structs.replace(request, model=model)

    def _checked(self, body: bytes) -> tuple[bytes, str | None]:
        """The body without what only hosted ones have, and the model it names. Raises
        BadRequest."""
        try:
            values = json_values(body)
        except MalformedBody:
            return body, None  # which the codec refuses
        if not isinstance(values, dict):
            return body, None
        version = values.get("anthropic_version")
        if version is None:
            raise invalid("anthropic_version: Field required", "anthropic_version")
        if version != self._version:
            message = f"anthropic_version: Input should be '{self._version}'"
            raise invalid(message, "anthropic_version")
        kept = {key: value for key, value in values.items() if key not in OWN_FIELDS}
        named = kept.get("model")
        if not isinstance(named, str):
            return orjson.dumps(kept), None
        return orjson.dumps({**kept, "model": hosted_name(named)}), named
