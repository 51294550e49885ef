"""``llmsim fit``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from llmsim.cli.extras import needs
from llmsim.cli.table import table

if TYPE_CHECKING:
    from llmsim.recordings.fit.profile import ModelFit
    from llmsim.recordings.traces.row import TraceRow

HEAD: Final = ("MODEL", "WHAT", "KIND", "MEAN", "STDDEV", "KS", "ERROR P50", "P95", "P99")
PERCENTILES: Final = (50, 95, 99)

EXAMPLES = """\b
Examples:
  llmsim fit recordings/ -o profile.yaml --report fit.html
  llmsim fit trace.csv --format burstgpt -o profile.yaml
  llmsim fit trace.csv --format azure --column output_tokens=Generated > profile.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to write the configuration."
)
@click.option("--report", type=click.Path(path_type=Path), help="Where to write a page about it.")
@click.option("--format", "name", help="The format of a trace; without it, PATH has recordings.")
@click.option(
    "--column", "columns", multiple=True, metavar="FIELD=NAME", help="A trace's other column."
)
def fit(
    path: Path, output: Path | None, report: Path | None, name: str | None, columns: tuple[str, ...]
) -> None:
    """Make a configuration that behaves like recorded traffic.

    Lengths of answers, times to first token, times between tokens, and how they follow the load are
    fitted to every second request and judged by the others. What could not be identified is said.
    """
    import yaml  # noqa: PLC0415

    from llmsim.recordings.fit.profile import by_model, configuration  # noqa: PLC0415
    from llmsim.recordings.fit.report import page  # noqa: PLC0415

    try:
        with needs("record,fit"):
            fits = by_model(_rows(path, name, columns))
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    click.echo(_summary(fits))
    made = yaml.safe_dump(configuration(fits), sort_keys=False)
    if output is not None:
        output.write_text(made, encoding="utf-8")
    else:
        click.echo(f"\n{made}", nl=False)
    if report is not None:
        report.write_text(page(fits, f"Fit of {path}"), encoding="utf-8")


def _rows(path: Path, name: str | None, columns: tuple[str, ...]) -> Iterable[TraceRow]:
    from llmsim.recordings import folder, rows  # noqa: PLC0415
    from llmsim.recordings.traces.columns import column_names  # noqa: PLC0415
    from llmsim.recordings.traces.formats import read  # noqa: PLC0415

    if name is None:
        if columns:
            raise ValueError("--column: only with --format")
        return rows.rows(folder.recordings(path))
    return read(path, name, column_names(columns))


def _summary(fits: Iterable[ModelFit]) -> str:
    rows: list[tuple[str, ...]] = []
    problems: list[str] = []
    for one in fits:
        rows += [(one.model, *row) for row in _lines(one)]
        problems += [f"{one.model}: {problem}" for problem in one.problems]
    missing = "\n\nnot identified:\n  " + "\n  ".join(problems) if problems else ""
    return table(HEAD, rows) + missing


def _lines(one: ModelFit) -> Iterable[tuple[str, ...]]:
    from llmsim.recordings.fit.load import LoadFit  # noqa: PLC0415

    found: list[tuple[str, Any, float, str]] = [
        ("output tokens", one.lengths, 1.0, ""),
        ("time to first token", one.ttft, 1e3, " ms"),
        ("time between tokens", one.itl, 1e3, " ms"),
    ]
    for what, fitted, scale, unit in found:
        if fitted is not None:
            mean, std = f"{fitted.mean * scale:.4g}{unit}", f"{fitted.std * scale:.4g}{unit}"
            errors = (f"{fitted.errors[at]:.1%}" for at in PERCENTILES)
            yield what, fitted.kind, mean, std, f"{fitted.ks:.3f}", *errors
    if one.prefill is not None and one.prefill.per_token:
        slope, error = f"{one.prefill.per_token * 1e3:.4g} ms", f"{one.prefill.error:.1%}"
        yield "each uncached token", "line", slope, "", "", error, "", ""
    if isinstance(one.load, LoadFit):
        each, error = f"{one.load.per_sequence * 1e3:.4g} ms", f"{one.load.error:.1%}"
        yield "each sequence beside it", "line", each, "", "", error, "", ""
