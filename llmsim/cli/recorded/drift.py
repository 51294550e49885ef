"""``llmsim drift``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import orjson
from msgspec import to_builtins

from llmsim.cli import flags
from llmsim.cli.extras import needs

if TYPE_CHECKING:
    from llmsim.drift.comparison import Drift, DriftReport

EXAMPLES = """\b
Examples:
  llmsim drift recordings/
  llmsim drift recordings/ --json
  llmsim drift recordings/ --ignore 'header:openai-*' --ignore 'field:* system_fingerprint'
"""


@click.command(epilog=EXAMPLES)
@click.argument("source", metavar="PATH", type=click.Path(path_type=Path))
@flags.sets()
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="KIND:PLACE",
    help="A shell pattern of what may differ, as the report names it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def drift(source: Path, path: str | None, ignored: tuple[str, ...], as_json: bool) -> None:
    """Compare the shape of answers with recorded ones.

    PATH is a folder of recordings of a real service, or one of its files. Each recorded request is
    put to llmsim, which answers with what the service said, in its own way. Then fields and their
    types, events and their order, names of headers, and statuses are compared; values are not. The
    exit code is 1 if anything differs, and 2 if there is nothing to compare.
    """
    config = flags.loaded(path, {})
    try:
        with needs("record"):
            # Imported late: none of it is needed for any other command.
            from llmsim.drift.asking import OwnAnswers  # noqa: PLC0415
            from llmsim.drift.comparison import compare  # noqa: PLC0415
            from llmsim.recordings import folder  # noqa: PLC0415

            found = compare(folder.recordings(source), OwnAnswers(config), ignored)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(orjson.dumps(to_builtins(found), option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(_text(found)))
    if not found.compared:
        raise SystemExit(2)
    if found.drifted:
        raise SystemExit(1)


def _text(found: DriftReport) -> Iterator[str]:
    reasons = ", ".join(f"{count} {reason}" for reason, count in found.left_out.items())
    yield f"{found.compared} recordings compared" + (f"; left out: {reasons}" if reasons else "")
    for one in found.endpoints:
        way = "streamed" if one.stream else "plain"
        state = "" if one.drifts else ": no drift"
        yield f"\n{one.endpoint}, {way} ({one.compared} recordings){state}"
        yield from map(_line, one.drifts)


def _line(one: Drift) -> str:
    where = f"({one.count}, such as {one.recording})"
    if one.kind == "status":
        return f"  status  recorded {one.recorded}, llmsim {one.llmsim} {where}"
    if one.kind == "order":
        return f"  order   recorded {one.recorded}\n          llmsim   {one.llmsim} {where}"
    if one.kind == "type":
        return f"  type    {one.place}: recorded {one.recorded}, llmsim {one.llmsim} {where}"
    side = "only recorded" if one.recorded else "only llmsim"
    about = f" {one.recorded or one.llmsim}" if one.kind == "field" else ""
    return f"  {one.kind:7} {one.place}:{about} {side} {where}"
