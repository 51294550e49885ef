"""``llmsim replay``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from llmsim.cli.extras import needs
from llmsim.cli.table import table

if TYPE_CHECKING:
    from llmsim.sending.requests import TimedRequest
    from llmsim.sending.sender import SendingProgress

HEAD: Final = ("MS", "P50", "P90", "P95", "P99", "MAX")
SELDOM: Final = 10.0
"""Seconds between two lines about the progress where they cannot be written over."""

EXAMPLES = """\b
Examples:
  llmsim replay recordings/ --target http://127.0.0.1:8080
  llmsim replay recordings/ --target http://127.0.0.1:8080 --speed 4 --max-in-flight 200
  llmsim replay trace.jsonl --format mooncake --model gpt-4o --target http://127.0.0.1:8080
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="URL", help="The server to send to.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 100_000),
    default=1.0,
    show_default=True,
    help="How fast: 2 sends twice as many requests a second as there were.",
)
@click.option(
    "--max-in-flight",
    type=click.IntRange(1),
    help="Open requests at most: what is due then leaves late. Default: no bound.",
)
@click.option("--format", "name", help="The format of a trace; without it, PATH has recordings.")
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="A trace's other column."
)
@click.option(
    "--model", default="gpt-4o", show_default=True, help="The model, where a trace names none."
)
@click.option("--limit", type=click.IntRange(1), help="How many requests are sent at most.")
@click.option(
    "--key",
    envvar="LLMSIM_KEY",
    default="llmsim",
    help="The API key, in place of the one that was not recorded. LLMSIM_KEY keeps it out of the "
    "list of processes.",
)
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header to send."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 86_400),
    default=600.0,
    show_default=True,
    help="Seconds that the server may say nothing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def replay(
    path: Path,
    target: str,
    speed: float,
    max_in_flight: int | None,
    name: str | None,
    columns: tuple[str, ...],
    model: str,
    limit: int | None,
    key: str,
    headers: tuple[str, ...],
    timeout: float,
    as_json: bool,
) -> None:
    """Send recorded requests, or those of a trace, to a server.

    PATH is a folder of recordings or one of its files, or a trace. Requests leave at the times at
    which they came, whether others are answered or not. Of a trace without words, prompts have its
    lengths, and begin alike where its hash_ids say so. What was measured is printed beside what was
    recorded; the exit code is 1 if no request was answered. SIGINT ends it early.
    """
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{target} is no http:// or https:// URL", param_hint="--target")
    try:
        with needs("record"):
            # Imported late: none of it is needed for any other command.
            from llmsim.sending import report  # noqa: PLC0415
            from llmsim.sending.sender import SendSettings, sent  # noqa: PLC0415

        pairs = tuple(map(_header, headers))
        settings = SendSettings(target.rstrip("/"), speed, max_in_flight, key, pairs, timeout)
        requests = _requests(path, name, columns, model, limit)
        answers, progress = sent(requests, settings, Display())
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    found = report.report(answers, progress, progress.seconds)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(f"{report.summary(found)}\n\n{table(HEAD, report.rows(found))}")
    if not found["answered"]:
        raise SystemExit(1)


class Display:
    """Writes on standard error how far it is: over the line before, on a terminal."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (0 if self._terminal else SELDOM)

    def __call__(self, progress: SendingProgress) -> None:
        if time.monotonic() < self._next:
            return
        line = (
            f"{progress.seconds:7.1f} s: {progress.sent} sent, {progress.open} in flight, "
            f"{progress.answered} answered, {progress.failed} of them failed"
        )
        if self._terminal:
            click.echo(f"\r\x1b[K{line}", err=True, nl=False)
        else:
            self._next += SELDOM
            click.echo(line, err=True)


def _requests(
    path: Path, name: str | None, columns: tuple[str, ...], model: str, limit: int | None
) -> Iterable[TimedRequest]:
    from llmsim.recordings import folder  # noqa: PLC0415
    from llmsim.recordings.traces.formats import read  # noqa: PLC0415
    from llmsim.sending.requests import of_recordings, of_rows  # noqa: PLC0415

    if name is not None:
        renamed = dict(_pair(one, "=", "--column", "FIELD=NAME") for one in columns)
        return of_rows(list(read(path, name, renamed)), model, limit)
    if columns:
        raise ValueError("--column: only with --format")
    found = of_recordings(folder.recordings(path), limit)
    if not found:
        raise ValueError(f"{path}: there are no recordings")
    return found


def _header(text: str) -> tuple[str, str]:
    name, value = _pair(text, ":", "--header", "NAME:VALUE")
    return name.lower(), value


def _pair(text: str, between: str, option: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition(between)
    if not (name.strip() and found and value.strip()):
        raise ValueError(f"{option}: {text}: must be {form}")
    return name.strip(), value.strip()
