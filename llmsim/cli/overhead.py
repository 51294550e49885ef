"""``llmsim overhead``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from llmsim.cli import trust
from llmsim.cli.remote import DEFAULT_PORT, address

F = TypeVar("F", bound=Callable[..., Any])

DIALECTS: Final = ("openai_chat", "openai_responses", "anthropic", "gemini")
FIGURES: Final = ("ttft", "per_token", "total")
PERCENTILES: Final = ("p50", "p90", "p99")
WIDTH: Final = 24

EXAMPLES = """\b
Examples:
  llmsim overhead --gateway http://127.0.0.1:4000 --model gpt-4o-mini
  llmsim overhead --gateway http://127.0.0.1:4000 --model gpt-4o-mini --streams 50 --html cost.html
  llmsim overhead --gateway http://127.0.0.1:4000 --model claude --max-added-ttft-p99-ms 15
  llmsim overhead --gateway http://127.0.0.1:4000 --model gpt-4o-mini --ramp 10..500
"""


def _limits(command: F) -> F:
    for figure in FIGURES:
        for percentile in PERCENTILES:
            name = f"--max-added-{figure.replace('_', '-')}-{percentile}-ms"
            help_text = (
                f"Exit with 1 if {figure.replace('_', ' ')} added is above it at {percentile}."
            )
            command = click.option(name, type=float, metavar="MS", help=help_text)(command)
    return command


def _print_schema(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from llmsim.overhead.report import schema  # noqa: PLC0415

        click.echo(json.dumps(schema(), indent=2))
        ctx.exit()


@click.command(epilog=EXAMPLES)
@click.option("--gateway", required=True, metavar="URL", help="The gateway. A path is a prefix.")
@click.option(
    "--upstream",
    default=f"http://127.0.0.1:{DEFAULT_PORT}",
    show_default=True,
    metavar="URL",
    help="The llmsim behind it.",
)
@click.option("--model", required=True, help="The model to ask the gateway for.")
@click.option("--upstream-model", help="Its name past the gateway. Default: the same.")
@click.option("--dialect", type=click.Choice(DIALECTS), default=DIALECTS[0], show_default=True)
@click.option(
    "--answers",
    type=click.Choice(("streams", "plain", "both")),
    default="streams",
    show_default=True,
    help="What to ask for.",
)
@click.option(
    "--api-key", envvar="LLMSIM_GATEWAY_KEY", default="sk-llmsim", metavar="KEY",
    help="Sent both ways, as the API has it. LLMSIM_GATEWAY_KEY keeps it out of the list of "
    "processes. Default: sk-llmsim.",
)  # fmt: skip
@click.option("-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="Sent, too.")
@click.option("--rate", type=click.FloatRange(min=0.01), help="Requests a second. Default: 20.")
@click.option("--streams", type=click.IntRange(min=1), help="Keep so many requests in flight.")
@click.option("--ramp", metavar="LOW..HIGH", help="Requests a second, in steps to the knee.")
@click.option(
    "--arrivals", type=click.Choice(("poisson", "constant")), default="poisson", show_default=True
)
@click.option(
    "--duration", default="30s", show_default=True, metavar="TIME",
    help="For how long requests are sent, half of it past the gateway.",
)  # fmt: skip
@click.option("--turns", type=click.IntRange(min=1), default=3, show_default=True,
              help="Turns each way.")  # fmt: skip
@click.option("--prompt-tokens", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--max-tokens", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--timeout", default="30s", show_default=True, metavar="TIME")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the times of sending.")
@click.option(
    "--box-share", type=click.FloatRange(0, 1), default=0.5, show_default=True,
    help="The machine's part of the latency at p99 above which it decides.",
)  # fmt: skip
@_limits
@click.option("--max-error-rate", type=click.FloatRange(0, 1), help="Exit with 1 above it.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--html", "html_file", type=click.Path(path_type=Path), help="A page with charts.")
@click.option("--token", envvar="LLMSIM_TOKEN", metavar="TOKEN", help="Of llmsim's control API.")
@trust.options
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_print_schema,
    help="Print the JSON schema of what --json writes.",
)  # fmt: skip
def overhead(
    gateway: str,
    upstream: str,
    headers: tuple[str, ...],
    ramp: str | None,
    rate: float | None,
    duration: str,
    timeout: str,
    max_error_rate: float | None,
    json_file: Path | None,
    html_file: Path | None,
    ca: str | None,
    insecure: bool,
    cert: str | None,
    key: str | None,
    **options: Any,
) -> None:
    """Measure what a gateway costs that has llmsim behind it.

    Requests go through the gateway and past it in turn. Each is joined with llmsim's journal, and
    its time divided: what llmsim was late, what this client was late, and the rest, which is the
    gateway's. Exit code 1 if a threshold is exceeded or nothing could be measured.
    """
    # Imported late: numpy takes longer than all other commands need.
    from llmsim.overhead.journal import JournalError  # noqa: PLC0415
    from llmsim.overhead.run import OverheadError, OverheadRun  # noqa: PLC0415
    from llmsim.overhead.settings import OverheadSettings  # noqa: PLC0415

    limits = {
        name.replace("_", "-"): options.pop(name)
        for name in list(options)
        if name.startswith("max_added_")
    }
    if sum(one is not None for one in (rate, ramp, options["streams"])) > 1:
        raise click.UsageError("only one of --rate, --streams and --ramp")
    settings = OverheadSettings(
        gateway=_url(gateway, "--gateway"),
        upstream=_url(upstream, "--upstream"),
        headers=tuple(map(header_pair, headers)),
        rate=20.0 if rate is None else rate,
        ramp=None if ramp is None else _range(ramp),
        duration=seconds(duration, "--duration"),
        timeout=seconds(timeout, "--timeout"),
        **options,
    )
    context = trust.context(ca, insecure, cert, key) if ca or insecure or cert else None
    run = None
    try:
        run = OverheadRun(settings, _progress, context)
        report = run.measure()
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
    _show(run, json_file, html_file, report, limits, max_error_rate)


def _show(
    run: Any,
    json_file: Path | None,
    html_file: Path | None,
    report: Any,
    limits: dict[str, float],
    max_error_rate: float | None,
) -> None:
    import msgspec  # noqa: PLC0415

    from llmsim.overhead.page import page  # noqa: PLC0415
    from llmsim.overhead.text import exceeded, summary_text  # noqa: PLC0415

    click.echo(summary_text(report))
    if json_file is not None:
        encoded = msgspec.json.encode(report)
        json_file.write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")
    if html_file is not None:
        html_file.write_text(page(report, *run.ways), encoding="utf-8")
    above = exceeded(report, limits, max_error_rate)
    for line in above:
        click.echo(f"exceeded: {line}", err=True)
    if above or not report.through.timed:
        sys.exit(1)


def _progress(part: float, text: str) -> None:
    """One line that is written over, on a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        done = round(part * WIDTH)
        bar = "█" * done + "·" * (WIDTH - done)
        click.echo(f"\r\x1b[K{bar} {part:4.0%}  {text}", nl=False, err=True)


def _progress_ends() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)


def _url(text: str, option: str) -> Any:
    try:
        return address(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def header_pair(text: str) -> tuple[str, str]:
    """A header of the command line. Raises BadParameter."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\r" in text or "\n" in text:
        raise click.BadParameter("expected NAME:VALUE", param_hint="-H")
    return name.strip(), value.strip()


def _range(text: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    try:
        found = float(low), float(high if dots else low)
    except ValueError:
        found = 0.0, 0.0
    if not 0 < found[0] <= found[1]:
        raise click.BadParameter("expected LOW..HIGH, requests a second", param_hint="--ramp")
    return found


def seconds(text: str, option: str) -> float:
    """A time of the command line: ``30s``, ``5m``, ``1h``. Raises BadParameter."""
    factor = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in factor else (text, "s")
    try:
        found = float(number) * factor[unit]
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise click.BadParameter("expected a time: 30s, 5m", param_hint=option)
    return found
