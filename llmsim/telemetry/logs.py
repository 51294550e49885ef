"""How log lines look: one for people, or one JSON object each."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TextIO, TypeAlias

import orjson

from llmsim.config.settings import LogFormat

Fields: TypeAlias = dict[str, Any]
Renderer: TypeAlias = Callable[[Fields], str]
"""Makes a line of its fields: ``timestamp``, ``level``, ``event`` and any others, in that order."""

QUOTED: Final = frozenset(" \t=\r\n\"'")
"""Characters for whose sake a text between others is quoted."""

STANDARD: Final = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}
"""Attributes that every log record has, or gets from a formatter; all others are ``extra``."""


def renderer(form: LogFormat) -> Renderer:
    """What makes text of a line's fields."""
    return _json if form == "json" else _text


def line(render: Renderer, level: str, at: float, event: str, fields: Fields) -> str:
    """One line without its end; ``at`` is Unix time in seconds."""
    return render({"timestamp": _iso(at), "level": level, "event": event, **fields})


def configuration(form: LogFormat, level: str) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` takes: llmsim's and Granian's own lines in that form.

    Nothing in it but text and numbers, so it goes to any worker.
    """
    own = {"handlers": ["lines"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "llmsim.telemetry.logs.Formatter", "form": form}},
        "handlers": {
            "lines": {
                "class": "llmsim.telemetry.logs.LinesHandler",
                "formatter": "lines",
                "stream": "ext://sys.stdout",
            }
        },
        "loggers": {"llmsim": own, "_granian": dict(own)},
    }


class LinesHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream. Where that does not work, because the disk is full or nobody reads
    the pipe, it says so on standard error, once."""

    _reported = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's own name
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._reported:
            self._reported = True
            with suppress(OSError):
                print(f"llmsim: log lines cannot be written: {error.strerror}", file=sys.stderr)


class Formatter(logging.Formatter):
    """Formats the records of the standard library, with their ``extra`` as fields; ``pid`` tells
    workers apart."""

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self._render = renderer(form)

    def format(self, record: logging.LogRecord) -> str:
        fields: Fields = {"pid": record.process}
        fields |= {k: v for k, v in record.__dict__.items() if k not in STANDARD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return line(
            self._render, record.levelname.lower(), record.created, record.getMessage(), fields
        )


def _json(fields: Fields) -> str:
    return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _text(fields: Fields) -> str:
    fields = dict(fields)
    timestamp, level, event = (fields.pop(name) for name in ("timestamp", "level", "event"))
    exception = fields.pop("exception", None)
    words = [timestamp, f"[{level}]", event, *(f"{k}={_value(v)}" for k, v in fields.items())]
    text = " ".join(filter(None, words))
    return text if exception is None else f"{text}\n{exception}"


def _value(value: object) -> str:
    return value if isinstance(value, str) and QUOTED.isdisjoint(value) else repr(value)


def _iso(at: float) -> str:
    """Unix time as ISO 8601 with milliseconds, UTC."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
