"""``python -m bench``: a command for each benchmark."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import click

from bench import (
    assistants,
    configured,
    inprocess,
    lateness,
    mocks,
    pacing,
    pictures,
    proxied,
    replay,
    soak,
    startup,
    streams,
    throughput,
)
from bench.client import ClientError, MissingError
from bench.machine import this_machine
from bench.progress import progress
from bench.report import Cell, Column, Report
from bench.server import StartError
from bench.shape import ProbeError
from bench.wire import BODIES, WIRES

Option = Callable[[Callable[..., None]], Callable[..., None]]

DEFAULT_DIALECT = "openai_chat"
CONTROLLED = ["**A control run:** where it says llmsim, a second bare application was measured."]


class Benchmark(Protocol):
    """A benchmark: its settings, the columns of its table, and a way to get the rows."""

    @property
    def columns(self) -> Sequence[Column]: ...

    @property
    def notes(self) -> Sequence[str]: ...

    @property
    def control(self) -> bool: ...

    def run(self) -> Sequence[Mapping[str, Cell]]: ...


@click.group(
    epilog="""\b
Examples:
  python -m bench throughput
  python -m bench pacing --streams 2000
  python -m bench startup --record docs/performance.md
"""
)
def main() -> None:
    """Measure how fast llmsim is on this machine.

    Most benchmarks measure a bare Granian application in the same run, to compare with. Each
    starts its own servers on free ports of 127.0.0.1, stops them, and prints a Markdown table
    with the machine and the versions.
    """


def number(name: str, least: float, default: float | tuple[float, ...], about: str = "") -> Option:
    """An option with a number, whole where ``least`` is; several defaults: it can be repeated."""
    several = isinstance(default, tuple)
    return click.option(
        f"--{name}",
        type=click.IntRange(least) if isinstance(least, int) else click.FloatRange(least),
        multiple=several,
        default=default,
        show_default=True,
        help=(about + "; can be repeated." if several else about) or None,
    )


def none_or_more(name: str, about: str) -> Option:
    """A number of things that there are none of by default."""
    return click.option(f"--{name}", type=click.IntRange(0), default=0, help=about)


def some_of(name: str, into: str, choices: Sequence[str], about: str) -> Option:
    """An option that picks some of the choices."""
    return click.option(
        f"--{name}",
        into,
        type=click.Choice(choices),
        multiple=True,
        default=tuple(choices),
        help=f"{about}; can be repeated. [default: all]",
    )


DIALECT = click.option(
    "--dialect", type=click.Choice(list(WIRES)), default=DEFAULT_DIALECT, show_default=True
)
ROUNDS = number("rounds", 1, 3, "How often each server is measured.")
WORKERS = number("workers", 1, (1, 2), "Worker processes")
CONNECTIONS = number("connections", 2, 64)
TOKENS = number("tokens", 1, 100, "Tokens per answer.")
MEASUREMENT = "Length of one measurement."
ONCE_OPEN = "Length of the measurement, once all streams are open."
CONTROL = click.option(
    "--control", is_flag=True, help="Measure a second bare application instead of llmsim."
)
OUTPUT: Sequence[Option] = (
    click.option(
        "--record",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Also replace the benchmark's section in this file.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
)


def command(
    name: str, about: str, make: Callable[..., Benchmark], *options: Option, examples: Sequence[str]
) -> None:
    """Add a benchmark. ``make`` has the options by their names; ``examples`` are what may stand
    after ``python -m bench NAME``."""

    def run(as_json: bool, record: Path | None, **settings: Any) -> None:
        section = name
        if settings.get("dialect", DEFAULT_DIALECT) != DEFAULT_DIALECT:
            section += f"-{settings['dialect']}"  # each dialect has a section of its own
        finish(section, make(**settings), as_json, record)

    called: Callable[..., None] = run
    for option in reversed((*options, *OUTPUT)):
        called = option(called)
    lines = "".join(f"\n  python -m bench {name} {one}".rstrip() for one in examples)
    main.command(name, help=about, epilog=f"\b\nExamples:{lines}")(called)


def finish(name: str, benchmark: Benchmark, as_json: bool, record: Path | None) -> None:
    """Run the benchmark, print its report, and record it if ``record`` names a file."""
    machine = this_machine()
    try:
        with progress(name):
            rows = benchmark.run()
    except (ClientError, MissingError, ProbeError, StartError) as error:
        raise click.ClickException(str(error)) from error
    notes = [*(CONTROLLED * benchmark.control), *benchmark.notes]
    report = Report(name, _command(), machine, benchmark.columns, rows, notes)
    click.echo(report.json() if as_json else report.markdown())
    if record:
        report.record(record)


def _command() -> str:
    """The command line that repeats this run, without the options about output."""
    words = sys.argv[1:]
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word not in {"--json", "--record"} and before != "--record"
    ]
    return shlex.join(["python", "-m", "bench", *kept])


def paced(**settings: Any) -> pacing.Pacing:
    """Raises UsageError for settings that make no sense together."""
    if settings["control"] and settings["dashboards"]:
        raise click.UsageError("a bare application has no dashboards")
    return pacing.Pacing(**settings)


command(
    "throughput",
    "Requests without streaming: how many per second, CPU of each.",
    throughput.Throughput,
    DIALECT,
    some_of("body", "bodies", list(BODIES), "Request to send"),
    WORKERS,
    ROUNDS,
    number("seconds", 1, 5, MEASUREMENT),
    CONNECTIONS,
    TOKENS,
    CONTROL,
    examples=("", "--workers 2 --body small --seconds 10", "--control --json"),
)
command(
    "streams",
    "Unpaced streams: chunks per second, CPU of each.",
    streams.Streams,
    DIALECT,
    WORKERS,
    ROUNDS,
    number("seconds", 0.1, 5, MEASUREMENT),
    CONNECTIONS,
    TOKENS,
    CONTROL,
    examples=("", "--workers 2 --tokens 500"),
)
command(
    "pacing",
    "Streams at 30 tokens/s: how late chunks are, CPU of each.",
    paced,
    DIALECT,
    number("streams", 1, (500, 2000, 5000), "Concurrent streams"),
    number("workers", 1, 2),
    number("seconds", 0.5, 15, ONCE_OPEN),
    click.option(
        "--ramp",
        type=click.FloatRange(0),
        default=0,
        help="New streams each millisecond; their start is measured, too. "
        "[default: over two seconds, before the measurement]",
    ),
    none_or_more(
        "tokens", "Length of the answers, at least. [default: as long as the measurement]"
    ),
    click.option("--cold", is_flag=True, help="Measure the first streams after /ready."),
    click.option(
        "--late-ms",
        type=click.FloatRange(0),
        default=0,
        help="With --control: send every frame this late, to see that it is measured.",
    ),
    none_or_more("dashboards", "Dashboards open meanwhile, with a scrape of /metrics each second."),
    none_or_more("idle", "Connections open meanwhile on which nothing is said."),
    none_or_more("stalled", "Streams open meanwhile that nobody reads."),
    CONTROL,
    examples=(
        "",
        "--streams 2000 --seconds 20",
        "--streams 200 --control --late-ms 25",
        "--streams 2000 --ramp 4 --workers 1",
        "--streams 2000 --ramp 4 --tokens 20000 --cold",
    ),
)
command(
    "replay",
    "Recorded streams beside simulated ones: their times, CPU of each.",
    replay.Replay,
    DIALECT,
    number("streams", 1, 500),
    number("workers", 1, 1),
    number("seconds", 0.5, 8, ONCE_OPEN),
    ROUNDS,
    CONNECTIONS,
    TOKENS,
    examples=("", "--streams 500 --seconds 5 --rounds 1"),
)
command(
    "proxy",
    "Calls that are passed on and recorded: added time, CPU of each.",
    partial(proxied.Proxied, DEFAULT_DIALECT),
    number("streams", 1, 50),
    number("seconds", 1.0, 10, "Length of each measurement."),
    examples=("", "--streams 200 --seconds 10"),
)
command(
    "lateness",
    "What llmsim says of its lateness, against what a client saw.",
    lateness.Lateness,
    DIALECT,
    number("streams", 1, (500, 2000, 3000), "Streams that open in a burst"),
    number("workers", 1, 1),
    number("seconds", 0.5, 8, "Length of the measurement, from the first stream on."),
    number("ramp", 0.1, 4, "New streams each millisecond."),
    examples=("", "--streams 3000 --ramp 10 --workers 2"),
)
command(
    "mocks",
    "Cost of looking for a mock, by the number of mocks.",
    mocks.Mocks,
    CONTROL,
    examples=("", "--record docs/performance.md"),
)
command(
    "configured",
    "Cost of rate limits, failures, mocks and API keys.",
    configured.Configured,
    ROUNDS,
    number("seconds", 1, 2, MEASUREMENT),
    examples=("", "--rounds 9 --seconds 1"),
)
command(
    "inprocess",
    "A plain answer without its HTTP server: what llmsim's own code takes.",
    inprocess.InProcess,
    some_of("case", "cases", list(inprocess.CASES), "What to measure"),
    number("rounds", 1, 15),
    number("requests", 1, 1000, "Requests a round for each case."),
    examples=("", "--case 'plain, small' --requests 20000"),
)
command(
    "assistants",
    "Runs of assistants: how many per second, CPU of each.",
    assistants.Assistants,
    WORKERS,
    ROUNDS,
    number("seconds", 0.1, 3, MEASUREMENT),
    number("connections", 1, 8),
    examples=("", "--workers 2 --connections 32"),
)
command(
    "startup",
    "Time to the first answer, memory and CPU when idle.",
    startup.Startup,
    number("workers", 1, 2),
    number("runs", 1, 5),
    CONTROL,
    examples=("", "--workers 8 --runs 10"),
)
command(
    "soak",
    "Mixed load for a long time: what grows and what is left.\n\n"
    "Clients of all dialects, some of which behave badly, with failures and rate limits.",
    soak.Soak,
    number("minutes", 0.1, 20),
    number("workers", 1, 2),
    number("clients", 1, 60),
    examples=("", "--minutes 2 --clients 20"),
)


@main.command("pictures")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("docs/images"),
    show_default=True,
    help="The folder they are written to.",
)
def draw_pictures(into: Path) -> None:
    """Draw the pictures of docs/latency.md: nothing is measured."""
    for path in pictures.draw(into):
        click.echo(path)


if __name__ == "__main__":
    main()
