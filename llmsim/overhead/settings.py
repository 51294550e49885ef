"""What a run can choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult

Answers = Literal["streams", "plain", "both"]
ArrivalKind = Literal["constant", "poisson"]


@dataclass(frozen=True, slots=True)
class OverheadSettings:
    """What to send, where, and how fast.

    ``rate`` is requests a second whatever comes back; ``streams`` instead keeps so many in flight;
    ``ramp`` goes from one rate to another in steps. ``duration`` is the seconds in which requests
    are sent, half of them past the gateway (of each step, with ``ramp``); ``turns`` how many turns
    each of the two has. ``token`` is the one of llmsim's control API.
    """

    gateway: SplitResult
    upstream: SplitResult
    model: str
    upstream_model: str | None = None
    dialect: str = "openai_chat"
    answers: Answers = "streams"
    api_key: str = "sk-llmsim"
    headers: tuple[tuple[str, str], ...] = ()
    rate: float = 20.0
    streams: int | None = None
    ramp: tuple[float, float] | None = None
    arrivals: ArrivalKind = "poisson"
    duration: float = 30.0
    turns: int = 3
    warm_up: float = 1.0
    prompt_tokens: int = 50
    max_tokens: int = 100
    timeout: float = 30.0
    token: str | None = None
    seed: int = 0
    box_share: float = 0.5
