"""The ``errors`` section: how often calls fail on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from llmsim.config.document import Node, wrong
from llmsim.config.kinds import Number

RATE: Final = Number(0, 1)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A rate that has to be 0, as nothing injects errors yet: refused rather than ignored."""

    valid: str = RATE.valid

    def read(self, node: Node, key: str) -> float:
        rate = RATE.read(node, key)
        if rate > 0:
            message = f"error injection is not available yet; must be 0, not {rate:g}"
            raise wrong(node.place, key, message)
        return rate

    def write(self, value: float) -> object:
        return RATE.write(value)


@dataclass(frozen=True, slots=True)
class Errors:
    """Shares of requests, from 0 to 1."""

    rate_limit_rate: Annotated[float, Unavailable()] = 0.0
    server_error_rate: Annotated[float, Unavailable()] = 0.0
