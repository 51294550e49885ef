"""The formats of traces, by name.

Sources of the column names: Azure/AzurePublicDataset (LLM inference traces of 2023 and 2024),
HPMLL/BurstGPT, kvcache-ai/Mooncake, alibaba-edu/qwen-bailian-usagetraces-anon, OpenTelemetry's
semantic conventions for generative AI, LiteLLM's StandardLoggingPayload, Langfuse's observations,
vllm-vcr, ShareGPT.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec import structs

from llmsim.recordings.traces import sharegpt, spans
from llmsim.recordings.traces.columns import (
    Cells,
    Column,
    Columns,
    count,
    date,
    each,
    milliseconds,
    overridden,
    rows,
    seconds,
)
from llmsim.recordings.traces.row import TraceError, TraceRow

NO_PARENT: Final = -1
"""In place of the turn before the first one."""

Lines = Iterator[tuple[int, Cells]]


class TraceFormat(NamedTuple):
    """One format: how its file is read, and which column is which field. ``finish`` derives what
    is in no column from the line's cells, or drops a line that is none by None."""

    about: str
    lines: Callable[[Path], Lines]
    columns: Columns
    finish: Callable[[TraceRow, Cells], TraceRow | None] = lambda row, _: row


def read(path: Path, name: str, columns: Mapping[str, str] | None = None) -> Iterator[TraceRow]:
    """The rows of a trace in the format ``name``; ``columns`` renames columns, by the row's field.
    Raises TraceError, also for a format that is not known, and OSError."""
    known = FORMATS.get(name)
    if known is None:
        raise TraceError(f"{name} is no format of traces; there are: {', '.join(FORMATS)}")
    chosen = overridden(known.columns, columns or {})
    for number, cells in known.lines(path):
        for row in rows([(number, cells)], chosen, str(path)):
            finished = known.finish(row, cells)
            if finished is not None:
                yield finished


def _csv(path: Path) -> Lines:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from enumerate(csv.DictReader(file), 2)


def _json_lines(path: Path) -> Lines:
    """JSON Lines, or one JSON array, or one object."""
    with path.open(encoding="utf-8-sig") as file:
        first = file.read(1)
        while first.isspace():
            first = file.read(1)
        file.seek(0)
        if first == "[":
            yield from _checked(path, enumerate(_loaded(path, file.read(), 1), 1))
            return
        text = ((number, line) for number, line in enumerate(file, 1) if line.strip())
        yield from _checked(path, ((number, _loaded(path, line, number)) for number, line in text))


def _turns(path: Path) -> Lines:
    """The same, and which ``conversation`` each turn is of: its first turn's ``chat_id``."""
    conversations: dict[Any, Any] = {}
    for number, cells in _json_lines(path):
        own, parent = cells.get("chat_id"), cells.get("parent_chat_id", NO_PARENT)
        first = own if parent in (None, NO_PARENT) else conversations.get(parent, parent)
        conversations[own] = first
        yield number, {**cells, "conversation": first}


def _document(split: Callable[[Any, str], Iterator[Cells]]) -> Callable[[Path], Lines]:
    """Documents, one or one a line, each of which is several lines of a table."""

    def lines(path: Path) -> Lines:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read()
        try:
            documents = [json.loads(text)]
        except ValueError:
            parts = enumerate(text.splitlines(), 1)
            documents = [_loaded(path, line, number) for number, line in parts if line.strip()]
        yield from enumerate(chain.from_iterable(split(one, str(path)) for one in documents), 1)

    return lines


def _loaded(path: Path, text: str, number: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise TraceError(f"{path}:{number}: not valid JSON: {error}") from None


def _checked(path: Path, values: Iterator[tuple[int, Any]]) -> Lines:
    for number, value in values:
        if not isinstance(value, dict):
            raise TraceError(f"{path}:{number}: not a JSON object")
        yield number, value


def _burst(row: TraceRow, _: Cells) -> TraceRow:
    return structs.replace(row, failed=not row.output_tokens)


def _spanned(row: TraceRow, cells: Cells) -> TraceRow:
    """Times that the trace has as dates count from the arrival."""
    since = {
        field: getattr(row, field) - row.arrived
        for field in ("ttft", "total")
        if getattr(row, field) is not None
    }
    failed = row.failed or cells.get("status") == "failure"
    if since.keys() == {"ttft", "total"} and since["ttft"] >= since["total"]:
        del since["ttft"]  # it was not streamed: all of it came at once
        row = structs.replace(row, ttft=None)
    return structs.replace(row, failed=failed, **since)


def _generation(row: TraceRow, cells: Cells) -> TraceRow | None:
    if str(cells.get("type", "GENERATION")).upper() != "GENERATION":
        return None
    return _spanned(row, cells)


def _blocks(size: int) -> Callable[[TraceRow, Cells], TraceRow]:
    return lambda row, _: structs.replace(row, block=size if row.hash_ids else 0)


def _column(convert: Callable[[Any], Any], *names: str, needed: bool = False) -> Column:
    return Column(names, convert, needed)


def _messages(value: Any) -> tuple[dict[str, Any], ...]:
    if isinstance(value, dict) and "messages" in value:
        value = value["messages"]
    if isinstance(value, str):
        return ({"role": "user", "content": value},)
    return tuple(one for one in value if isinstance(one, dict))


def _answer(value: Any) -> str:
    """What was said, wherever the payload has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        choices = value.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            value = choices[0].get("message", {})
        content = value.get("content")
        return content if isinstance(content, str) else ""
    return ""


FORMATS: Final[Mapping[str, TraceFormat]] = {
    "azure": TraceFormat(
        "Azure LLM inference traces 2023 and 2024, CSV",
        _csv,
        {
            "arrived": _column(date, "TIMESTAMP", needed=True),
            "prompt_tokens": _column(count, "ContextTokens", needed=True),
            "output_tokens": _column(count, "GeneratedTokens", needed=True),
        },
    ),
    "burstgpt": TraceFormat(
        "BurstGPT, CSV",
        _csv,
        {
            "arrived": _column(seconds, "Timestamp", needed=True),
            "session": _column(str, "Session ID"),
            "total": _column(seconds, "Elapsed time"),
            "model": _column(str, "Model"),
            "prompt_tokens": _column(count, "Request tokens", needed=True),
            "output_tokens": _column(count, "Response tokens", needed=True),
        },
        _burst,
    ),
    "mooncake": TraceFormat(
        "Mooncake, JSON Lines (also of dynamo, aiperf, guidellm, inference-perf)",
        _json_lines,
        {
            "arrived": _column(milliseconds, "timestamp", needed=True),
            "prompt_tokens": _column(count, "input_length", needed=True),
            "output_tokens": _column(count, "output_length", needed=True),
            "hash_ids": _column(each(int), "hash_ids"),
            "session": _column(str, "session_id"),
            "delay": _column(milliseconds, "delay"),
            "messages": _column(_messages, "messages"),
        },
        _blocks(512),
    ),
    "bailian": TraceFormat(
        "Bailian (Qwen) usage traces, JSON Lines",
        _turns,
        {
            "arrived": _column(seconds, "timestamp", needed=True),
            "prompt_tokens": _column(count, "input_length", needed=True),
            "output_tokens": _column(count, "output_length", needed=True),
            "session": _column(str, "conversation"),
            "hash_ids": _column(each(int), "hash_ids"),
        },
        _blocks(16),
    ),
    "otel": TraceFormat(
        "OpenTelemetry GenAI spans, OTLP/JSON or one span a line",
        _document(spans.flattened),
        {
            "arrived": _column(date, "start_time", needed=True),
            "total": _column(date, "end_time"),
            "ttft": _column(seconds, "gen_ai.response.time_to_first_chunk"),
            "model": _column(str, "gen_ai.request.model", "gen_ai.response.model"),
            "prompt_tokens": _column(count, "gen_ai.usage.input_tokens"),
            "output_tokens": _column(count, "gen_ai.usage.output_tokens"),
            "cached_tokens": _column(count, "gen_ai.usage.cache_read.input_tokens"),
            "session": _column(str, "gen_ai.conversation.id"),
            "messages": _column(spans.messages, "gen_ai.input.messages"),
            "answer": _column(spans.said, "gen_ai.output.messages"),
            "finish_reason": _column(spans.reason, "gen_ai.response.finish_reasons"),
            "failed": _column(bool, "error.type"),
        },
        spans.finished,
    ),
    "litellm": TraceFormat(
        "LiteLLM's StandardLoggingPayload, JSON or JSON Lines",
        _json_lines,
        {
            "arrived": _column(date, "startTime", needed=True),
            "ttft": _column(date, "completionStartTime"),
            "total": _column(date, "endTime"),
            "model": _column(str, "model"),
            "prompt_tokens": _column(count, "prompt_tokens"),
            "output_tokens": _column(count, "completion_tokens"),
            "cached_tokens": _column(
                count, "metadata.usage_object.prompt_tokens_details.cached_tokens"
            ),
            "messages": _column(_messages, "messages"),
            "answer": _column(_answer, "response"),
        },
        _spanned,
    ),
    "langfuse": TraceFormat(
        "Langfuse observations, JSON Lines",
        _json_lines,
        {
            "arrived": _column(date, "start_time", "startTime", needed=True),
            "ttft": _column(date, "completion_start_time", "completionStartTime"),
            "total": _column(date, "end_time", "endTime"),
            "model": _column(str, "model"),
            "prompt_tokens": _column(count, "usage.input", "usage_details.input"),
            "output_tokens": _column(count, "usage.output", "usage_details.output"),
            "session": _column(str, "trace_id", "traceId"),
            "messages": _column(_messages, "input"),
            "answer": _column(_answer, "output"),
        },
        _generation,
    ),
    "vllm-vcr": TraceFormat(
        "vllm-vcr, JSON Lines",
        _json_lines,
        {
            "arrived": _column(milliseconds, "arrival_ms", needed=True),
            "prompt_tokens": _column(count, "prompt_tokens", needed=True),
            "cached_tokens": _column(count, "cached_tokens"),
            "output_tokens": _column(count, "output_tokens", needed=True),
            "ttft": _column(milliseconds, "ttft_ms"),
            "gaps": _column(each(milliseconds), "itl_ms"),
            "gap_tokens": _column(each(count), "itl_tokens"),
            "in_flight": _column(count, "concurrency"),
            "finish_reason": _column(str, "finish_reason"),
        },
    ),
    "sharegpt": TraceFormat(
        "ShareGPT conversations, JSON: content only, all of them arrive at 0",
        _document(sharegpt.turns),
        {
            "arrived": _column(seconds, "arrived"),
            "session": _column(str, "id"),
            "messages": _column(_messages, "messages"),
            "answer": _column(str, "answer"),
            "prompt_tokens": _column(count, "prompt_tokens"),
            "output_tokens": _column(count, "output_tokens"),
        },
    ),
}
"""How each format is read."""
