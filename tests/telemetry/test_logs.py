"""Log lines: for people or as JSON, whoever writes them."""

import io
import logging
import logging.config
from typing import Any

import orjson
import pytest

from llmsim.config.settings import LogFormat
from llmsim.telemetry.logs import Formatter, LinesHandler, configuration, line, renderer


def record(message: str, *args: object, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("llmsim", logging.WARNING, __file__, 1, message, args, None)
    made.created, made.process = 100.5, 7
    made.__dict__.update(more)
    return made


def test_a_line_of_json_is_one_object() -> None:
    text = Formatter("json").format(record("could not %s", "answer", request_id="abc"))
    assert orjson.loads(text) == {
        "timestamp": "1970-01-01T00:01:40.500Z",
        "level": "warning",
        "event": "could not answer",
        "request_id": "abc",
        "pid": 7,
    }
    assert list(orjson.loads(text))[:3] == ["timestamp", "level", "event"]


def test_a_line_for_people() -> None:
    fields = {"request_id": "abc", "text": "a b", "none": None, "share": 0.5, "empty": ""}
    text = Formatter("console").format(record("could not answer", **fields))
    assert text == (
        "1970-01-01T00:01:40.500Z [warning] could not answer"
        " pid=7 request_id=abc text='a b' none=None share=0.5 empty="
    )


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_exception_is_logged_with_where_it_was_raised(form: LogFormat) -> None:
    try:
        raise ValueError("odd")
    except ValueError as error:
        text = Formatter(form).format(
            record("x", exc_info=(ValueError, error, error.__traceback__))
        )
    assert "test_logs.py" in text
    assert "ValueError: odd" in text
    assert form == "console" or "odd" in orjson.loads(text)["exception"]


def test_a_line_of_ones_own() -> None:
    text = line(renderer("json"), "info", 0.0, "request", {"n": 1, "text": "ü"})
    assert text == (
        '{"timestamp":"1970-01-01T00:00:00.000Z","level":"info","event":"request","n":1,"text":"ü"}'
    )


@pytest.mark.parametrize(("level", "kept"), [("info", 2), ("error", 1), ("debug", 3)])
def test_the_level_is_the_configured_one(level: str, kept: int) -> None:
    made = configuration("json", level)
    sink = io.StringIO()
    made["handlers"]["lines"]["stream"] = sink
    log = logging.getLogger("llmsim")
    before = log.handlers, log.level, log.propagate
    try:
        logging.config.dictConfig(made)
        log.debug("a")
        log.info("b")
        log.error("c")
    finally:
        log.handlers, log.propagate = before[0], before[2]
        log.setLevel(before[1])
    assert len(sink.getvalue().splitlines()) == kept


class Full(io.StringIO):
    """A stream to a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def test_lines_that_cannot_be_written_are_one_line_elsewhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = LinesHandler(Full())
    for _ in range(3):
        handler.handle(record("lost"))
    assert capsys.readouterr().err == (
        "llmsim: log lines cannot be written: No space left on device\n"
    )


def test_a_fault_of_the_line_itself_shows_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    LinesHandler(io.StringIO()).handle(record("%d", "no number"))
    assert "test_logs.py" in capsys.readouterr().err
