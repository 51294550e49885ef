"""How log lines look: one for people, or one JSON object each."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor

from llmsim.config.logging import Form


def renderer(form: Form) -> Processor:
    """What makes text of an event."""
    if form == "json":
        return structlog.processors.JSONRenderer(serializer=_dumped)
    return structlog.dev.ConsoleRenderer(
        colors=False, pad_event_to=0, pad_level=False, sort_keys=False, event_key="event"
    )


def line(render: Processor, level: str, at: float, event: str, told: dict[str, Any]) -> str:
    """One line without its end; ``at`` is Unix time in seconds."""
    made: EventDict = {"timestamp": _iso(at), "level": level, "event": event, **told}
    return str(render(None, level, made))


def configuration(form: Form, level: str) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` takes: llmsim's and Granian's own lines in that form.

    Nothing in it but text and numbers, so it goes to any worker.
    """
    own = {"handlers": ["lines"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "llmsim.telemetry.logs.formatter", "form": form}},
        "handlers": {
            "lines": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "stream": "ext://sys.stdout",
            }
        },
        "loggers": {"llmsim": own, "_granian": dict(own)},
    }


def formatter(form: Form) -> logging.Formatter:
    """Formats the records of the standard library; fields given as ``extra`` are told, too."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_stamped, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer(form),
        ],
    )


def _stamped(logger: Any, method: str, event: EventDict) -> EventDict:
    """The fields every line has, first; ``pid`` tells workers apart."""
    record: logging.LogRecord = event["_record"]
    told = {"timestamp": _iso(record.created), "level": record.levelname.lower()}
    return {**told, **event, "pid": record.process}


def _iso(at: float) -> str:
    """Unix time as ISO 8601 with milliseconds, UTC."""
    told = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return told.removesuffix("+00:00") + "Z"


def _dumped(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
