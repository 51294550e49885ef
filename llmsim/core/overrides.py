"""What one request may set for itself, and how: in headers, after its model's name, or, for a
scenario, by a marker in a message.

``x-llmsim-error: 429; first=1; key=abc`` and ``gpt-5@llmsim:error=429;first=1;key=abc`` say the
same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from llmsim.core.catalog.distribution import Distribution
from llmsim.core.catalog.models import MARK
from llmsim.core.faults import Fault
from llmsim.core.generator import GeneratorChoice
from llmsim.core.latency import LatencyRule
from llmsim.core.patterns import matches

PREFIX: Final = "x-llmsim-"

ScenarioName: TypeAlias = Literal[
    "flaky-429",
    "stream-stall",
    "broken-stream",
    "slow-first-token",
    "parallel-tools",
    "reasoning-starved",
    "content-filter",
    "long-tool-loop",
]

OPENING: Final = "[[llmsim:"
"""What a marker in a message begins with."""
_MARKER: Final = re.compile(r"\[\[llmsim:(?!id=)([^\[\]\n]{1,200})\]\]")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario as one request wants it. ``seed`` is that of the answer, and what is counted is
    counted for each seed by itself; ``speed`` is a factor on how fast everything goes."""

    name: ScenarioName
    seed: int | None = None
    speed: float = 1.0


def marked(text: str) -> str | None:
    """What the first marker in a text says, as the header has it: ``flaky-429; seed=7``; None where
    there is none. One with an id is none."""
    found = _MARKER.search(text)
    return None if found is None else "; ".join(found[1].split())


@dataclass(frozen=True, slots=True)
class CountedRequests:
    """Which requests are meant: of those that ``model``, ``dialect`` and ``caller`` match (shell
    patterns; the caller is an API key, or its owner's name), the ``first`` so many with the same
    ``key``, every ``every``-th, or all. A gateway passes on to each of its upstreams what a request
    says: so it reaches one of them."""

    first: int | None = None
    every: int | None = None
    key: str | None = None
    model: str = "*"
    dialect: str = "*"
    caller: str = "*"

    def match(self, model: str, dialect: str, caller: str, name: str) -> bool:
        """Whether a request is among them, not counting."""
        return (
            matches(self.model, model)
            and matches(self.dialect, dialect)
            and (matches(self.caller, caller) or matches(self.caller, name))
        )


@dataclass(frozen=True, slots=True)
class ErrorOverride:
    """An error in place of the answer, sent ``after`` seconds after the request. One of ``kind``
    and ``status`` is set. ``after`` and ``retry_after`` (seconds) None are what the configuration
    says."""

    kind: str | None = None
    status: int | None = None
    after: float | None = None
    retry_after: float | None = None
    counted: CountedRequests = CountedRequests()


@dataclass(frozen=True, slots=True)
class FaultOverride:
    """A fault in the middle of the answer."""

    fault: Fault
    counted: CountedRequests


@dataclass(frozen=True, slots=True)
class RequestOverrides:
    """All that one request sets for itself; None where it sets nothing."""

    latency: LatencyRule | None = None
    error: ErrorOverride | None = None
    fault: FaultOverride | None = None
    seed: int | None = None
    target_tokens: int | Distribution | None = None
    generator: GeneratorChoice | None = None
    itl_factor: float | None = None
    scenario: Scenario | None = None


NAMES: Final = frozenset(RequestOverrides.__dataclass_fields__)
SCENARIO_SEED: Final = (PREFIX + "scenario", "seed")

OverrideParser: TypeAlias = Callable[[Iterable[tuple[str, str]]], RequestOverrides]
"""From pairs of a header's name and its value to what they set. Raises ConfigError."""


def header(name: str) -> str:
    """The header that sets this override."""
    return PREFIX + name.replace("_", "-")


def split(model: str) -> tuple[str, str]:
    """A model's name and the overrides after it, empty where there are none."""
    name, _, suffix = model.partition(MARK)
    return name, suffix


def suffixed(suffix: str) -> Iterator[tuple[str, str]]:
    """The overrides after a model's name as headers: ``latency=instant;error=429;first=1``. A part
    that has the name of no override belongs to the one before it, and so does the seed of a
    scenario. What stands for itself in a value may be percent-encoded."""
    found: list[tuple[str, str]] = []
    for part in filter(None, suffix.split(";")):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        before = found[-1][0] if found else ""
        if before and equals and (_is_part(name) or (before, name) == SCENARIO_SEED):
            found[-1] = (before, f"{found[-1][1]};{unquote(part)}")
        else:
            found.append((header(name), unquote(value)))
    return iter(found)


def _is_part(name: str) -> bool:
    return name.replace("-", "_") not in NAMES
