"""``llmsim overhead``."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from llmsim.cli import trust
from llmsim.cli.load_options import asking, gathered, rate_range, seconds, server
from llmsim.cli.remote import DEFAULT_PORT
from llmsim.overhead.settings import OverheadSettings

if TYPE_CHECKING:
    from llmsim.overhead.report import OverheadReport
    from llmsim.overhead.run import OverheadRun

F = TypeVar("F", bound=Callable[..., Any])

FIGURES: Final = ("ttft", "per_token", "total")
PERCENTILES: Final = ("p50", "p90", "p99")
LIMITS: Final = tuple(f"max_added_{one}_{at}_ms" for one in FIGURES for at in PERCENTILES)
SETTINGS: Final = {one.name for one in fields(OverheadSettings)} - {"warm_up"}
WIDTH: Final = 24

EXAMPLES = """\b
Examples:
  llmsim overhead --gateway http://127.0.0.1:4000 --model gpt-4o-mini
  llmsim overhead --gateway http://127.0.0.1:4000 --model gpt-4o-mini --streams 50 --html cost.html
  llmsim overhead --gateway http://127.0.0.1:4000 --model claude --max-added-ttft-p99-ms 15
  llmsim overhead --gateway http://127.0.0.1:4000 --model gpt-4o-mini --ramp 10..500
"""


def _limit_options(command: F) -> F:
    for name in reversed(LIMITS):
        figure, at = name.removeprefix("max_added_").removesuffix("_ms").rsplit("_", 1)
        about = f"Exit with 1 if {figure.replace('_', ' ')} added is above it at {at}."
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, type=float, metavar="MS", help=about)(command)
    return command


def _limits(**values: float | None) -> dict[str, float]:
    """The thresholds that there are, by their options' names."""
    return {name.replace("_", "-"): one for name, one in values.items() if one is not None}


def _settings(rate: float | None, **values: Any) -> OverheadSettings:
    """Raises UsageError."""
    if sum(one is not None for one in (rate, values["ramp"], values["streams"])) > 1:
        raise click.UsageError("only one of --rate, --streams and --ramp")
    return OverheadSettings(**values) if rate is None else OverheadSettings(rate=rate, **values)


def _tls(
    ca: str | None, insecure: bool, cert: str | None, key: str | None
) -> ssl.SSLContext | None:
    return trust.context(ca, insecure, cert, key) if ca or insecure or cert or key else None


def _print_schema(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from llmsim.overhead.report import schema  # noqa: PLC0415

        click.echo(json.dumps(schema(), indent=2))
        ctx.exit()


@click.command(epilog=EXAMPLES)
@click.option(
    "--gateway", type=server, required=True, metavar="URL",
    help="The gateway. A path is a prefix.",
)  # fmt: skip
@click.option(
    "--upstream",
    type=server,
    default=f"http://127.0.0.1:{DEFAULT_PORT}",
    show_default=True,
    metavar="URL",
    help="The llmsim behind it.",
)
@asking()
@click.option("--upstream-model", help="The model's name past the gateway. Default: the same.")
@click.option(
    "--answers",
    type=click.Choice(("streams", "plain", "both")),
    default="streams",
    show_default=True,
    help="What to ask for.",
)
@click.option("--rate", type=click.FloatRange(min=0.01), help="Requests a second. Default: 20.")
@click.option("--streams", type=click.IntRange(min=1), help="Keep so many requests in flight.")
@click.option(
    "--ramp", type=rate_range, metavar="LOW..HIGH", help="Requests a second, in steps to the knee."
)
@click.option(
    "--arrivals", type=click.Choice(("poisson", "constant")), default="poisson", show_default=True
)
@click.option(
    "--duration", type=seconds, default="30s", show_default=True, metavar="TIME",
    help="For how long requests are sent, half of it past the gateway.",
)  # fmt: skip
@click.option("--turns", type=click.IntRange(min=1), default=3, show_default=True,
              help="Turns each way.")  # fmt: skip
@click.option("--timeout", type=seconds, default="30s", show_default=True, metavar="TIME")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the times of sending.")
@click.option(
    "--box-share", type=click.FloatRange(0, 1), default=0.5, show_default=True,
    help="The machine's part of the latency at p99 above which it decides.",
)  # fmt: skip
@_limit_options
@click.option("--max-error-rate", type=click.FloatRange(0, 1), help="Exit with 1 above it.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="A page with charts.")
@click.option("--token", envvar="LLMSIM_TOKEN", metavar="TOKEN", help="Of llmsim's control API.")
@trust.options
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_print_schema,
    help="Print the JSON schema of what --json writes.",
)  # fmt: skip
@gathered("settings", _settings, SETTINGS)
@gathered("limits", _limits, LIMITS)
@gathered("context", _tls, ("ca", "insecure", "cert", "key"))
def overhead(
    settings: OverheadSettings,
    limits: dict[str, float],
    max_error_rate: float | None,
    json_file: Path | None,
    html_file: Path | None,
    context: ssl.SSLContext | None,
) -> None:
    """Measure what a gateway costs that has llmsim behind it.

    Requests go through the gateway and past it in turn. Each is joined with llmsim's journal, and
    its time divided: what llmsim was late, what this client was late, and the rest, which is the
    gateway's. Exit code 1 if a threshold is exceeded or nothing could be measured.
    """
    from llmsim.overhead.text import exceeded, summary_text  # noqa: PLC0415

    run, report = _measured(settings, context)
    click.echo(summary_text(report))
    _write(run, report, json_file, html_file)
    above = exceeded(report, limits, max_error_rate)
    for line in above:
        click.echo(f"exceeded: {line}", err=True)
    if above or not report.through.timed:
        sys.exit(1)


def _measured(
    settings: OverheadSettings, context: ssl.SSLContext | None
) -> tuple[OverheadRun, OverheadReport]:
    """A run that is over. Raises ClickException."""
    # Imported late: numpy takes longer than all other commands need.
    from llmsim.overhead.journal import JournalError  # noqa: PLC0415
    from llmsim.overhead.run import OverheadError, OverheadRun  # noqa: PLC0415

    run = None
    try:
        run = OverheadRun(settings, _progress, context)
        return run, run.measure()
    except (OverheadError, JournalError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from None
    except KeyboardInterrupt:
        raise click.Abort from None
    finally:
        _progress_ends()
        if run is not None:
            run.close()


def _write(
    run: OverheadRun, report: OverheadReport, json_file: Path | None, html_file: Path | None
) -> None:
    import msgspec  # noqa: PLC0415

    from llmsim.overhead.page import page  # noqa: PLC0415

    if json_file is not None:
        encoded = msgspec.json.encode(report)
        json_file.write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
    if html_file is not None:
        html_file.write_text(page(report, *run.ways), encoding="utf-8")


def _progress(part: float, text: str) -> None:
    """One line that is written over, on a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        done = round(part * WIDTH)
        bar = "█" * done + "·" * (WIDTH - done)
        click.echo(f"\r\x1b[K{bar} {part:4.0%}  {text}", nl=False, err=True)


def _progress_ends() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
