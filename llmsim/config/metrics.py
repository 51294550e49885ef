"""The ``metrics`` section: what ``/metrics`` tells beyond llmsim's own metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from llmsim.config.kinds import Switch, Text, Whole


@dataclass(frozen=True, slots=True)
class Metrics:
    """``vllm`` tells the same numbers under vLLM's names, too.

    A vLLM server has one model: all models together are told as ``vllm_model``.
    ``vllm_capacity`` is how many requests at once fill its cache; what is beyond waits, as far as
    these metrics say.
    """

    vllm: Annotated[bool, Switch()] = False
    vllm_model: Annotated[str, Text()] = "llmsim"
    vllm_capacity: Annotated[int, Whole(1, 1_000_000)] = 256
