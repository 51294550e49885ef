"""The ``logging`` section: which lines are written, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from llmsim.config.document import Node, Scalar
from llmsim.config.kinds import OneOf, Switch, unfit
from llmsim.core.spelling import did_you_mean

Form: TypeAlias = Literal["console", "json"]
Which: TypeAlias = Literal["off", "errors", "sampled", "all"]

BARE: Final[tuple[Which, ...]] = ("off", "errors", "all")
SAMPLED: Final = "sampled:"


@dataclass(frozen=True, slots=True)
class Access:
    """Which requests get a line: none, those with an error, a ``share`` of all, all.

    Of those with an error ``sampled`` leaves none out.
    """

    which: Which = "off"
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """``off``, ``errors``, ``all``, or ``sampled:`` and a share."""

    valid: str = f"{', '.join(BARE)} or {SAMPLED}SHARE with a share from 0 to 1 (sampled:0.01)"

    def read(self, node: Node, key: str) -> Access:
        value = node.value if isinstance(node, Scalar) else None
        # YAML takes a bare off for false.
        text = "off" if value is False else value if isinstance(value, str) else ""
        for name in BARE:
            if name == text:
                return Access(name)
        if text.startswith(SAMPLED):
            try:
                share = float(text.removeprefix(SAMPLED))
            except ValueError:
                share = -1.0
            if 0 <= share <= 1:
                return Access("sampled", share)
            raise unfit(node, key, self.valid)
        raise unfit(node, key, self.valid, did_you_mean(text, (*BARE, SAMPLED + "SHARE")))

    def write(self, value: Access) -> object:
        return f"{SAMPLED}{value.share!r}" if value.which == "sampled" else value.which


@dataclass(frozen=True, slots=True)
class Logging:
    """``prompts`` puts what was asked into the access log; it is in no line otherwise."""

    format: Annotated[Form, OneOf(("console", "json"))] = "console"
    access: Annotated[Access, Chosen()] = Access()
    prompts: Annotated[bool, Switch()] = False
