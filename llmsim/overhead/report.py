"""The result of a run: what ``--json`` writes, and its JSON schema."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from llmsim.overhead.figures import Percentiles

VERSION: Final = 1


class Added(msgspec.Struct, frozen=True):
    """What the gateway added, milliseconds: percentiles through it less those past it. null where
    nothing was measured (``ttft_ms`` and the like of plain answers)."""

    ttft_ms: Percentiles | None
    """Until the first text, from sending the request."""
    per_token_ms: Percentiles | None
    """What a token takes once the stream goes."""
    total_ms: Percentiles | None
    """Until the last byte."""
    head_ms: Percentiles | None
    """Until the first byte of the response."""
    way_in_ms: Percentiles | None
    """From client to llmsim."""
    way_out_ms: Percentiles | None
    """From llmsim to the client, the last byte."""
    time_per_output_token_ms: Percentiles | None
    """To the mean time between tokens."""
    held_ms: Percentiles | None
    """Of ``ttft_ms``: what the first text waited because more was sent with it."""


class Side(msgspec.Struct, frozen=True):
    """Requests one way: through the gateway, or past it. Milliseconds less what llmsim and the
    client took; ``plain_total_ms`` is of answers that are not streamed."""

    requests: int
    answered: int
    matched: int
    unmatched: int
    timed: int
    """Requests whose times count: answered, matched, and one request of llmsim's each."""
    errors: dict[str, int]
    rate: float
    """Good answers a second, from the first request to the last answer of each turn."""
    new_connections: int
    ttft_ms: Percentiles | None
    per_token_ms: Percentiles | None
    total_ms: Percentiles | None
    head_ms: Percentiles | None
    way_in_ms: Percentiles | None
    way_out_ms: Percentiles | None
    time_per_output_token_ms: Percentiles | None
    held_ms: Percentiles | None
    plain_total_ms: Percentiles | None
    simulator_late_ms: Percentiles | None
    client_late_ms: Percentiles | None
    tokens_per_read: Percentiles | None


class SimulatorParts(msgspec.Struct, frozen=True):
    """By how much llmsim was late: until it looked at a request (the TTFT hides it), the latest
    frame of each answer, and from handing over to the kernel where that was looked at."""

    arrival_ms: Percentiles | None
    hand_over_ms: Percentiles | None
    output_ms: Percentiles | None


class Retries(msgspec.Struct, frozen=True):
    """Requests that reached llmsim more than once, and how many requests that were more; ``first``
    is what the earlier ones got, by status."""

    requests: int
    upstream: int
    statuses: dict[str, int]


class HeaderChanges(msgspec.Struct, frozen=True):
    """Names of headers that come only through the gateway, only past it, and under
    another name."""

    added: list[str]
    stripped: list[str]
    renamed: dict[str, str]


class FrameChanges(msgspec.Struct, frozen=True):
    """Events of streams against those that llmsim sends to the same request with the same seed:
    answers compared; those with the same bytes (ids and times aside), the same events in another
    spelling, events in another order, other events; names of JSON fields that were added and that
    are missing; ``problem`` says why nothing could be compared."""

    compared: int = 0
    same_bytes: int = 0
    same_json: int = 0
    reordered: int = 0
    changed: int = 0
    events_through: float = 0.0
    """Events of an answer, mean."""
    events_direct: float = 0.0
    bytes_through: float = 0.0
    """Bytes of an answer's body, mean."""
    bytes_direct: float = 0.0
    fields_added: list[str] = []
    fields_removed: list[str] = []
    problem: str | None = None


class Box(msgspec.Struct, frozen=True):
    """The machine's share in the TTFT (the total where nothing streams) at p99: what llmsim and the
    client were late, and requests past the gateway took, of that and what the gateway added.
    ``decides`` says that it is above the bound: then the machine was measured. ``busy`` is how much
    of this machine's processors was used, null where it is not known."""

    share: float
    bound: float
    decides: bool
    busy: float | None


class RampStep(msgspec.Struct, frozen=True):
    """One step of a ramp: requests a second, offered and answered well."""

    offered: float
    gateway_rate: float
    direct_rate: float
    gateway_errors: int
    direct_errors: int
    added_ttft_ms: Percentiles | None
    added_total_ms: Percentiles | None
    box: Box
    holds: bool
    """Whether the gateway kept up."""
    direct_holds: bool


class Ramp(msgspec.Struct, frozen=True):
    """``knee`` is the highest rate that the gateway kept up with, ``direct_knee`` the one of
    requests past it, null if there is none."""

    steps: list[RampStep]
    knee: float | None
    direct_knee: float | None


class OverheadReport(msgspec.Struct, frozen=True):
    """What a gateway cost. The counts, ``simulator_late_ms``, ``client_late_ms`` and
    ``tokens_per_read`` are of requests through it; ``direct`` has those past it."""

    version: int
    gateway: str
    upstream: str
    model: str
    dialect: str
    answers: str
    load: str
    started: float
    duration_s: float
    requests: int
    matched: int
    unmatched: int
    added: Added
    simulator_late_ms: Percentiles | None
    client_late_ms: Percentiles | None
    tokens_per_read: Percentiles | None
    simulator: SimulatorParts
    errors: dict[str, int]
    retries: Retries
    headers: HeaderChanges
    """Of responses."""
    request_headers: HeaderChanges
    """Of requests, as llmsim had them."""
    frames: FrameChanges
    rate_ratio: float | None
    """Good answers a second through the gateway to those past it."""
    box: Box
    through: Side
    direct: Side
    ramp: Ramp | None
    notes: list[str]
    """What limits these figures, in words."""


def schema() -> dict[str, Any]:
    """The JSON schema of a report."""
    found = msgspec.json.schema(OverheadReport)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | found
