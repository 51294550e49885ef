"""A recording as a row of a trace: what fitting and statistics need of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from llmsim.recordings.prompts import prompt_tokens
from llmsim.recordings.recording import Recording, ResponseEnd
from llmsim.recordings.traces.row import TraceRow


def row(recording: Recording) -> TraceRow:
    """The row of a recording. Its first token is in the first frame that has any; frames without
    tokens are no gaps. Tokens that the service did not count are counted."""
    response, usage = recording.response, recording.usage
    said = [frame for frame in response.frames if frame.tokens]
    streamed = recording.stream and bool(said)
    counted = sum(frame.tokens for frame in said)
    unseen = usage.completion - counted if usage and streamed else 0
    return TraceRow(
        arrived=recording.arrived,
        model=recording.model,
        prompt_tokens=usage.prompt if usage else prompt_tokens(recording),
        cached_tokens=usage.cached if usage else 0,
        hidden_tokens=min(usage.reasoning, max(unseen, 0)) if usage else 0,
        output_tokens=usage.completion if usage else counted,
        ttft=said[0].at if streamed else None,
        total=response.ended,
        gaps=tuple(after.at - before.at for before, after in pairwise(said)) if streamed else (),
        gap_tokens=tuple(frame.tokens for frame in said[1:]) if streamed else (),
        in_flight=recording.in_flight,
        gap_in_flight=tuple(frame.in_flight for frame in said[1:]) if streamed else (),
        failed=response.end is not ResponseEnd.WHOLE or not 200 <= response.status < 300,
    )


def rows(recordings: Iterable[Recording]) -> Iterator[TraceRow]:
    """The rows of recordings."""
    return map(row, recordings)
