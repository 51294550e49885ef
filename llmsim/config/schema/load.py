"""The ``load`` key of a latency rule: how latency depends on what else a model's replicas do."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo

from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section, millis, plain, seconds
from llmsim.config.schema.values import Day, Name, Named, Whole
from llmsim.core.load.step_cost import MOST_SEQUENCES, Load

MOST_REPLICAS: Final = 32
SECOND: Final = (
    f"must be one number of sequences, from 2 to {MOST_SEQUENCES}, and the inter-token latency "
    "with so many, as in {64: 8.7}"
)


class LoadSection(Section, of=Load):
    """Steps that all sequences of a replica share."""

    itl_ms_at: Annotated[
        dict[Annotated[str, Name("number of sequences")], Day], Named("number of sequences")
    ] = Field(
        {},
        description="A number of sequences and the inter-token latency in milliseconds with so "
        "many, as in `{64: 8.7}`; itl_ms is that of one. Default: the same with any number.",
    )
    max_sequences: Annotated[int, Whole(1, MOST_SEQUENCES)] = Field(
        256, description="Sequences that one replica has at once; others wait."
    )
    prefill_tokens_per_step: Annotated[int, Whole(1, 1_000_000)] = Field(
        2048, description="Prompt tokens that one step prefills at most."
    )
    replicas: Annotated[int, Whole(1, MOST_REPLICAS)] = Field(
        1, description="Replicas of the model, which requests take in turn."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.itl_ms_at and _second(self.itl_ms_at) is None:
            yield Problem("itl_ms_at", SECOND)

    def build(self) -> Load:
        return Load(
            _second(self.itl_ms_at),
            self.max_sequences,
            self.prefill_tokens_per_step,
            self.replicas,
        )

    @classmethod
    def write(cls, value: Load) -> dict[str, Any]:
        written: dict[str, Any] = {}
        if value.itl_at is not None:
            sequences, latency = value.itl_at
            written["itl_ms_at"] = {str(sequences): plain(millis(latency))}
        written["max_sequences"] = value.max_sequences
        written["prefill_tokens_per_step"] = value.prefill_tokens_per_step
        written["replicas"] = value.replicas
        return written


def _second(measured: dict[str, float]) -> tuple[int, float] | None:
    """The second measurement; None where it is none."""
    if len(measured) != 1:
        return None
    ((sequences, latency),) = measured.items()
    if not sequences.isdecimal() or not 2 <= int(sequences) <= MOST_SEQUENCES:
        return None
    return int(sequences), seconds(latency)
