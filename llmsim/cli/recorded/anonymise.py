"""``llmsim anonymise``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from llmsim.cli.extras import needs
from llmsim.cli.table import table
from llmsim.recordings.anonymise.finding import MODES

EXAMPLES = """\b
Examples:
  llmsim anonymise recordings/ --out clean/
  llmsim anonymise recordings/ --out clean/ --mode strict --name Acme --name "Jane Doe"
  llmsim anonymise recordings/ --out clean/ --pattern 'ticket=TICKET-\\d+'
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to write to, a new one.",
)
@click.option(
    "--mode", type=click.Choice(MODES), default="standard", show_default=True, help="What to find."
)
@click.option(
    "--pattern", "patterns", multiple=True, metavar="KIND=RE2", help="More to find, by pattern."
)
@click.option("--name", "names", multiple=True, help="A name to find, wherever it stands.")
@click.option(
    "--region",
    "regions",
    multiple=True,
    default=("US",),
    show_default=True,
    help="A country (ISO 3166) whose phone numbers are found without a country code.",
)
def anonymise(
    path: Path,
    out: Path,
    mode: str,
    patterns: tuple[str, ...],
    names: tuple[str, ...],
    regions: tuple[str, ...],
) -> None:
    """Replace what must not be kept in recordings that are there.

    PATH is a folder of recordings or one of its files. Credentials are always found; standard adds
    e-mail addresses, phones, cards, accounts and network addresses, strict adds names that the
    words around them tell, and long numbers. The same value has the same fake in one recording.
    What was replaced is printed by kind and place, without the values.
    """
    from llmsim.recordings import folder  # noqa: PLC0415
    from llmsim.recordings.anonymise.anonymiser import AnonymiseRules  # noqa: PLC0415
    from llmsim.recordings.anonymise.exchange import anonymised  # noqa: PLC0415
    from llmsim.recordings.writer import RecordingWriter  # noqa: PLC0415

    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"--out: {out} is there and not empty")
    try:
        with needs("record"):
            rules = AnonymiseRules(mode, tuple(map(_pattern, patterns)), names, regions)
            writer = RecordingWriter(out)
        files = folder.files(path)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    replaced: Counter[tuple[str, str]] = Counter()
    changed = 0
    for file in files:
        for one in folder.recordings(file):
            made, report = anonymised(one, rules)
            if not writer.write(made):
                raise click.ClickException(writer.problem)
            replaced += report.replaced
            changed += report.tokens_changed
    writer.close()
    rows = [(kind, place, number) for (kind, place), number in sorted(replaced.items())]
    click.echo(table(("KIND", "PLACE", "REPLACED"), rows))
    click.echo(f"\n{writer.written} recordings, {changed} of them with another number of tokens")


def _pattern(text: str) -> tuple[str, str]:
    kind, equals, pattern = text.partition("=")
    if not (kind and equals and pattern):
        raise ValueError(f"--pattern: {text}: must be KIND=RE2")
    return kind, pattern
