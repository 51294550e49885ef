"""The ``keys`` section: the API keys that are let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llmsim.config.document import Node, Scalar, Table
from llmsim.config.kinds import Text, unfit
from llmsim.config.record import Record, describe
from llmsim.core.api_keys import ApiKey

describe(ApiKey, key=Text(), name=Text())
RECORD: Final = Record(ApiKey)


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key by itself, or with the name of its owner."""

    valid: str = "an API key, or a mapping with the keys key, name"

    def read(self, node: Node, key: str) -> ApiKey:
        if isinstance(node, Table):
            return RECORD.read(node, key)
        if not isinstance(node, Scalar):
            raise unfit(node, key, self.valid)
        return ApiKey(Text(self.valid).read(node, key))

    def write(self, value: ApiKey) -> object:
        return {"key": value.key, "name": value.name} if value.name else value.key
