"""``llmsim recordings``: what is in a folder of recordings, checked, compared and exported."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from llmsim.cli.extras import needs
from llmsim.cli.table import table

if TYPE_CHECKING:
    from llmsim.recordings.recording import Recording

HEAD: Final = ("ID", "ARRIVED", "STATUS", "MODEL", "PROMPT", "OUTPUT", "TTFT MS", "TOTAL MS", "END")
FORMATS: Final = ("har", "otel", "mooncake")

EXAMPLES = """\b
Examples:
  llmsim recordings ls recordings/
  llmsim recordings show recordings/ rec_0af7651916cd43dd8448eb211c80319c
  llmsim recordings diff recordings/ rec_0af7 rec_b7ad
  llmsim recordings check recordings/
  llmsim recordings export recordings/ --to har > recordings.har
"""

PATH = click.argument("path", metavar="PATH", type=click.Path(path_type=Path))


def _reported(command: Callable[..., None]) -> Callable[..., None]:
    """What cannot be read is one line, with exit code 2."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            with needs("record"):
                command(*args, **options)
        except (OSError, ValueError) as error:
            raise click.UsageError(str(error)) from None

    return run


@click.group(epilog=EXAMPLES)
def recordings() -> None:
    """List, show, check, compare and export recordings.

    PATH is a folder of recordings or one of its files.
    """


@recordings.command(
    epilog="""\b
Examples:
  llmsim recordings ls recordings/
  llmsim recordings ls recordings/ --model gpt-4o
"""
)
@PATH
@click.option("--model", help="Only those of this model.")
@_reported
def ls(path: Path, model: str | None) -> None:
    """List the recordings, a line each."""
    rows = [_line(one) for one in _all(path) if model in (None, one.model)]
    click.echo(table(HEAD, rows))


@recordings.command(
    epilog="""\b
Examples:
  llmsim recordings show recordings/ rec_0af7
  llmsim recordings show recordings/ rec_0af7 --body
"""
)
@PATH
@click.argument("name", metavar="ID")
@click.option("--body", is_flag=True, help="Only the bytes of the answer, as they came.")
@_reported
def show(path: Path, name: str, body: bool) -> None:
    """Show one recording: heads, request, and each frame with its time.

    The beginning of its ID is enough.
    """
    one = _found(path, name)
    if body:
        sys.stdout.buffer.write(one.response.content)
        return
    request, response = one.request, one.response
    click.echo(f"{one.id}  {_date(one.arrived)}  {one.provider} {one.model}")
    click.echo(f"\n{request.method} {request.path}{'?' * bool(request.query)}{request.query}")
    _print_pairs(request.headers)
    click.echo(f"\n{_shown(request.body.content)}")
    click.echo(f"\n{response.status}  after {response.at * 1e3:.1f} ms")
    _print_pairs(response.headers)
    click.echo()
    for frame in response.frames:
        text = _shown(frame.body.content)
        click.echo(f"{frame.at * 1e3:10.1f} ms  {frame.tokens:4} tokens  {text}")
    click.echo(f"{response.ended * 1e3:10.1f} ms  {response.end.value}")


@recordings.command(
    epilog="""\b
Examples:
  llmsim recordings diff recordings/ rec_0af7 rec_b7ad
"""
)
@PATH
@click.argument("first", metavar="ID")
@click.argument("second", metavar="ID")
@_reported
def diff(path: Path, first: str, second: str) -> None:
    """Say in what two recorded requests differ, and what became of each.

    They are compared as replay compares them. The exit code is 1 if they differ.
    """
    from llmsim.recordings.matching.nearest import differences  # noqa: PLC0415
    from llmsim.recordings.matching.recorded import recorded_request  # noqa: PLC0415

    both = [_found(path, name) for name in (first, second)]
    found = list(differences(*map(recorded_request, both)))
    for place in found:
        click.echo(f"{place.path}: {first} {place.recorded!r}, {second} {place.asked!r}")
    if not found:
        click.echo("the same request")
    click.echo("\n" + table(HEAD, [_line(one) for one in both]))
    if found:
        raise SystemExit(1)


@recordings.command(
    epilog="""\b
Examples:
  llmsim recordings check recordings/
  llmsim recordings check recordings/2026-11-30-box-4711.0.jsonl.zst
"""
)
@PATH
@_reported
def check(path: Path) -> None:
    """Check that every line is a recording.

    What is wrong with a line that is none is printed, and the exit code is 1. A torn last line, as
    a killed process leaves it, is only a warning.
    """
    from llmsim.recordings.folder import files, lines  # noqa: PLC0415

    good = bad = torn = 0
    for file in files(path):
        for line in lines(file):
            if line.recording is not None:
                good += 1
                continue
            torn += line.torn
            bad += not line.torn
            click.echo(f"{'warning: ' if line.torn else ''}{line}", err=True)
    click.echo(f"{good} recordings, {bad} faults, {torn} torn lines")
    if bad:
        raise SystemExit(1)


@recordings.command(
    epilog="""\b
Examples:
  llmsim recordings schema > recording.schema.json
"""
)
def schema() -> None:
    """Print the JSON Schema of one line."""
    from llmsim.recordings.lines import schema as of_line  # noqa: PLC0415

    click.echo(json.dumps(of_line(), indent=2))


@recordings.command(
    epilog="""\b
Examples:
  llmsim recordings export recordings/ --to har > recordings.har
  llmsim recordings export recordings/ --to mooncake > trace.jsonl
"""
)
@PATH
@click.option("--to", "name", type=click.Choice(FORMATS), required=True, help="The format.")
@_reported
def export(path: Path, name: str) -> None:
    """Write recordings in another tool's format to standard output."""
    from llmsim.recordings.exports import EXPORTS  # noqa: PLC0415

    for text in EXPORTS[name](_all(path)):
        click.echo(text, nl=False)


@recordings.command(
    "import",
    epilog="""\b
Examples:
  llmsim recordings import browser.har --format har --out recordings/
  llmsim recordings import trace.csv --format burstgpt --out recordings/
""",
)
@PATH
@click.option("--format", "name", required=True, help="har, or the format of a trace.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The folder to write to."
)
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="A trace's other column."
)
@_reported
def import_(path: Path, name: str, out: Path, columns: tuple[str, ...]) -> None:
    """Make recordings of an archive or a trace.

    Where a trace does not have what was said, the recordings have text of the right length.
    """
    from llmsim.recordings.imports import from_har, from_rows  # noqa: PLC0415
    from llmsim.recordings.traces.columns import column_names  # noqa: PLC0415
    from llmsim.recordings.traces.formats import read  # noqa: PLC0415
    from llmsim.recordings.writer import RecordingWriter  # noqa: PLC0415

    if name == "har":
        found = from_har(json.loads(path.read_text("utf-8-sig")), str(path))
    else:
        found = from_rows(read(path, name, column_names(columns)))
    writer = RecordingWriter(out)
    for one in found:
        if not writer.write(one):
            raise click.ClickException(writer.problem)
    writer.close()
    click.echo(f"{writer.written} recordings in {out}")


def _all(path: Path) -> Iterator[Recording]:
    from llmsim.recordings import folder  # noqa: PLC0415

    return folder.recordings(path)


def _found(path: Path, name: str) -> Recording:
    found = {one.id: one for one in _all(path) if one.id.startswith(name)}
    if name in found:
        return found[name]
    if len(found) != 1:
        many = f"{len(found)} recordings begin with" if found else "there is no recording"
        raise ValueError(f"{many} {name}")
    return next(iter(found.values()))


def _line(one: Recording) -> tuple[str | int | float, ...]:
    from llmsim.recordings.rows import row  # noqa: PLC0415

    seen = row(one)
    return (
        one.id,
        _date(one.arrived),
        one.response.status,
        one.model,
        seen.prompt_tokens,
        seen.output_tokens,
        "" if seen.ttft is None else f"{seen.ttft * 1e3:.1f}",
        f"{one.response.ended * 1e3:.1f}",
        one.response.end.value,
    )


def _date(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _print_pairs(pairs: list[tuple[str, str]]) -> None:
    for name, value in pairs:
        click.echo(f"{name}: {value}")


def _shown(content: bytes) -> str:
    return repr(content.decode(errors="backslashreplace"))[1:-1]
