"""The ``response`` section: what answers say, and how long they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Final

from llmsim.config.containers import Each
from llmsim.config.document import Node, Scalar, wrong
from llmsim.config.kinds import Number, Text, Whole, unfit
from llmsim.config.record import Given
from llmsim.core.generator import GeneratorChoice, GeneratorKind
from llmsim.core.spelling import did_you_mean

BARE: Final[tuple[GeneratorKind, ...]] = ("lorem", "echo", "random", "sequence")
LOREM: Final = GeneratorChoice("lorem")
FIXED: Final = "fixed:"
REFUSAL: Final = "I'm sorry, but I can't assist with that request."


@dataclass(frozen=True, slots=True)
class Spelled:
    """A generator's name, or ``fixed:`` and the text."""

    valid: str = f"{', '.join(BARE)} or {FIXED}TEXT"

    def read(self, node: Node, key: str) -> GeneratorChoice:
        text = node.text if isinstance(node, Scalar) and node.value is not None else ""
        if text.startswith(FIXED):
            if text == FIXED:
                raise wrong(node.place, key, f"{FIXED} needs a text after it")
            return GeneratorChoice("fixed", (text.removeprefix(FIXED),))
        for name in BARE:
            if name == text:
                return GeneratorChoice(name)
        raise unfit(node, key, self.valid, did_you_mean(text, (*BARE, FIXED + "TEXT")))

    def write(self, value: GeneratorChoice) -> object:
        return FIXED + value.texts[0] if value.kind == "fixed" else value.kind


@dataclass(frozen=True, slots=True)
class Tools:
    """``call_rate`` is the probability of a tool call where the model may choose."""

    call_rate: Annotated[float, Number(0, 1)] = 1.0


@dataclass(frozen=True, slots=True)
class Response:
    """``target_tokens`` is the length of an answer that nothing else bounds.

    ``sequence`` holds the texts of the generator of that name, and is empty for the others.
    ``refusal_rate`` is the probability of ``refusal`` in place of an answer.
    """

    generator: Annotated[GeneratorChoice, Spelled()] = LOREM
    target_tokens: Annotated[int, Whole(1, 1_000_000)] = 100
    sequence: Annotated[tuple[str, ...], Each(Text())] = ()
    tools: Tools = field(default_factory=Tools)
    refusal_rate: Annotated[float, Number(0, 1)] = 0.0
    refusal: Annotated[str, Text()] = REFUSAL

    def checked(self, given: Given) -> Response:
        """The response with the generator's texts in place.

        A file's ``sequence`` is dropped, not refused, where a flag or a variable has chosen
        another generator.
        """
        if self.generator.kind == "sequence":
            if not self.sequence:
                given.fault("sequence", "is missing: the generator sequence needs a list of texts")
            return replace(self, generator=GeneratorChoice("sequence", self.sequence))
        if self.sequence and given.where("generator") in (None, given.where("sequence")):
            message = f"only the generator sequence takes texts, not {self.generator.kind}"
            given.fault("sequence", message, "generator")
        return replace(self, sequence=())
