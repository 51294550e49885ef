"""Recordings in the formats of other tools: HTTP archives, OpenTelemetry spans, Mooncake traces.

Each module has one function, from recordings to pieces of text that are written one after another;
:data:`EXPORTS` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from llmsim.recordings.exports.har import har
from llmsim.recordings.exports.mooncake import mooncake
from llmsim.recordings.exports.otel import otel
from llmsim.recordings.recording import Recording

EXPORTS: Final[Mapping[str, Callable[[Iterable[Recording]], Iterator[str]]]] = {
    "har": har,
    "otel": otel,
    "mooncake": mooncake,
}
"""From recordings to text, by the format's name."""
