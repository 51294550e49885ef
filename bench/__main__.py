"""``python -m bench``: a command for each benchmark."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

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
from bench.report import Cell, Column, Report
from bench.server import StartError
from bench.shape import ProbeError
from bench.wire import BODIES, WIRES

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_DIALECT = "openai_chat"
CONTROL = ["**A control run:** where it says llmsim, a second bare application was measured."]


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


def output(command: F) -> F:
    """The options about where a report goes."""
    document = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
        click.option(
            "--record", type=document, help="Also replace the benchmark's section in this file."
        ),
        click.option(
            "--control", is_flag=True, help="Measure a second bare application instead of llmsim."
        ),
    ):
        command = option(command)
    return command


dialect_option = click.option(
    "--dialect", type=click.Choice(list(WIRES)), default=DEFAULT_DIALECT, show_default=True
)
rounds_option = click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="How often each server is measured.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    multiple=True,
    default=(1, 2),
    show_default=True,
    help="Worker processes; can be repeated.",
)
connections_option = click.option(
    "--connections", type=click.IntRange(2), default=64, show_default=True
)
tokens_option = click.option(
    "--tokens", type=click.IntRange(1), default=100, show_default=True, help="Tokens per answer."
)


@main.command(
    "throughput",
    epilog="""\b
Examples:
  python -m bench throughput
  python -m bench throughput --workers 2 --body small --seconds 10
  python -m bench throughput --control --json
""",
)
@dialect_option
@click.option(
    "--body",
    "bodies",
    type=click.Choice(list(BODIES)),
    multiple=True,
    default=tuple(BODIES),
    help="Request to send; can be repeated. [default: all]",
)
@workers_option
@rounds_option
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Length of one measurement.",
)
@connections_option
@tokens_option
@output
def throughput_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Requests without streaming: how many per second, CPU of each."""
    benchmark = throughput.Throughput(dialect=dialect, control=control, **settings)
    finish(section("throughput", dialect), benchmark, as_json, record)


@main.command(
    "streams",
    epilog="""\b
Examples:
  python -m bench streams
  python -m bench streams --workers 2 --tokens 500
""",
)
@dialect_option
@workers_option
@rounds_option
@click.option(
    "--seconds",
    type=click.FloatRange(0.1),
    default=5,
    show_default=True,
    help="Length of one measurement.",
)
@connections_option
@tokens_option
@output
def streams_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Unpaced streams: chunks per second, CPU of each."""
    benchmark = streams.Streams(dialect=dialect, control=control, **settings)
    finish(section("streams", dialect), benchmark, as_json, record)


@main.command(
    "pacing",
    epilog="""\b
Examples:
  python -m bench pacing
  python -m bench pacing --streams 2000 --seconds 20
  python -m bench pacing --streams 200 --control --late-ms 25
  python -m bench pacing --streams 2000 --ramp 4 --workers 1
  python -m bench pacing --streams 2000 --ramp 4 --tokens 20000 --cold
""",
)
@dialect_option
@click.option(
    "--streams",
    type=click.IntRange(1),
    multiple=True,
    default=(500, 2000, 5000),
    show_default=True,
    help="Concurrent streams; can be repeated.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5),
    default=15,
    show_default=True,
    help="Length of the measurement, once all streams are open.",
)
@click.option(
    "--ramp",
    type=click.FloatRange(0),
    default=0,
    help="New streams each millisecond; their start is measured, too. "
    "[default: over two seconds, before the measurement]",
)
@click.option(
    "--tokens",
    type=click.IntRange(0),
    default=0,
    help="Length of the answers, at least. [default: as long as the measurement]",
)
@click.option("--cold", is_flag=True, help="Measure the first streams after /ready.")
@click.option(
    "--late-ms",
    type=click.FloatRange(0),
    default=0,
    help="With --control: send every frame this late, to see that it is measured.",
)
@click.option(
    "--dashboards",
    type=click.IntRange(0),
    default=0,
    help="Dashboards open meanwhile, with a scrape of /metrics each second.",
)
@click.option(
    "--idle",
    type=click.IntRange(0),
    default=0,
    help="Connections open meanwhile on which nothing is said.",
)
@click.option(
    "--stalled",
    type=click.IntRange(0),
    default=0,
    help="Streams open meanwhile that nobody reads.",
)
@output
def pacing_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Streams at 30 tokens/s: how late chunks are, CPU of each."""
    if control and settings["dashboards"]:
        raise click.UsageError("a bare application has no dashboards")
    benchmark = pacing.Pacing(dialect=dialect, control=control, **settings)
    finish(section("pacing", dialect), benchmark, as_json, record)


@main.command(
    "replay",
    epilog="""\b
Examples:
  python -m bench replay
  python -m bench replay --streams 500 --seconds 5 --rounds 1
""",
)
@dialect_option
@click.option("--streams", type=click.IntRange(1), default=500, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5),
    default=8,
    show_default=True,
    help="Length of the measurement, once all streams are open.",
)
@rounds_option
@connections_option
@tokens_option
@output
def replay_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Recorded streams beside simulated ones: their times, CPU of each."""
    if control:
        raise click.UsageError("it has a bare application in any case")
    benchmark = replay.Replay(dialect=dialect, **settings)
    finish(section("replay", dialect), benchmark, as_json, record)


@main.command(
    "proxy",
    epilog="""\b
Examples:
  python -m bench proxy
  python -m bench proxy --streams 200 --seconds 10
""",
)
@click.option("--streams", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=10,
    show_default=True,
    help="Length of each measurement.",
)
@output
def proxy_command(
    as_json: bool, record: Path | None, control: bool, streams: int, seconds: float
) -> None:
    """Calls that are passed on and recorded: added time, CPU of each."""
    if control:
        raise click.UsageError("the service is what it is measured beside")
    benchmark = proxied.Proxied(DEFAULT_DIALECT, streams, seconds)
    finish("proxy", benchmark, as_json, record)


@main.command(
    "lateness",
    epilog="""\b
Examples:
  python -m bench lateness
  python -m bench lateness --streams 3000 --ramp 10 --workers 2
""",
)
@dialect_option
@click.option(
    "--streams",
    type=click.IntRange(1),
    multiple=True,
    default=(500, 2000, 3000),
    show_default=True,
    help="Streams that open in a burst; can be repeated.",
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5),
    default=8,
    show_default=True,
    help="Length of the measurement, from the first stream on.",
)
@click.option(
    "--ramp",
    type=click.FloatRange(0.1),
    default=4,
    show_default=True,
    help="New streams each millisecond.",
)
@output
def lateness_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """What llmsim says of its lateness, against what a client saw."""
    if control:
        raise click.UsageError("--control does not apply: no bare application is measured")
    finish(section("lateness", dialect), lateness.Lateness(dialect, **settings), as_json, record)


@main.command(
    "mocks",
    epilog="""\b
Examples:
  python -m bench mocks
  python -m bench mocks --record docs/performance.md
""",
)
@output
def mocks_command(as_json: bool, record: Path | None, control: bool) -> None:
    """Cost of looking for a mock, by the number of mocks."""
    finish("mocks", mocks.Mocks(control), as_json, record)


@main.command(
    "configured",
    epilog="""\b
Examples:
  python -m bench configured
  python -m bench configured --rounds 9 --seconds 1
""",
)
@rounds_option
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Length of one measurement.",
)
@output
def configured_command(
    as_json: bool, record: Path | None, control: bool, rounds: int, seconds: int
) -> None:
    """Cost of rate limits, failures, mocks and API keys."""
    if control:
        raise click.UsageError("--control does not apply: no bare application is measured")
    finish("configured", configured.Configured(rounds, seconds), as_json, record)


@main.command(
    "inprocess",
    epilog="""\b
Examples:
  python -m bench inprocess
  python -m bench inprocess --case 'plain, small' --requests 20000
""",
)
@click.option(
    "--case",
    "cases",
    type=click.Choice(list(inprocess.CASES)),
    multiple=True,
    default=tuple(inprocess.CASES),
    help="What to measure; can be repeated. [default: all]",
)
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True)
@click.option(
    "--requests",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Requests a round for each case.",
)
@output
def inprocess_command(
    as_json: bool, record: Path | None, control: bool, cases: tuple[str, ...], **settings: Any
) -> None:
    """A plain answer without its HTTP server: what llmsim's own code takes."""
    if control:
        raise click.UsageError("--control does not apply: no bare application is measured")
    finish("inprocess", inprocess.InProcess(cases, **settings), as_json, record)


@main.command(
    "assistants",
    epilog="""\b
Examples:
  python -m bench assistants
  python -m bench assistants --workers 2 --connections 32
""",
)
@workers_option
@rounds_option
@click.option(
    "--seconds",
    type=click.FloatRange(0.1),
    default=3,
    show_default=True,
    help="Length of one measurement.",
)
@click.option("--connections", type=click.IntRange(1), default=8, show_default=True)
@output
def assistants_command(as_json: bool, record: Path | None, control: bool, **settings: Any) -> None:
    """Runs of assistants: how many per second, CPU of each."""
    if control:
        raise click.UsageError("--control does not apply: no bare application is measured")
    finish("assistants", assistants.Assistants(**settings), as_json, record)


@main.command(
    "startup",
    epilog="""\b
Examples:
  python -m bench startup
  python -m bench startup --workers 8 --runs 10
""",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True)
@output
def startup_command(
    as_json: bool, record: Path | None, control: bool, workers: int, runs: int
) -> None:
    """Time to the first answer, memory and CPU when idle."""
    benchmark = startup.Startup(workers, runs, control)
    finish("startup", benchmark, as_json, record)


@main.command(
    "soak",
    epilog="""\b
Examples:
  python -m bench soak
  python -m bench soak --minutes 2 --clients 20
""",
)
@click.option("--minutes", type=click.FloatRange(0.1), default=20, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--clients", type=click.IntRange(1), default=60, show_default=True)
@output
def soak_command(
    as_json: bool, record: Path | None, control: bool, minutes: float, workers: int, clients: int
) -> None:
    """Mixed load for a long time: what grows and what is left.

    Clients of all dialects, some of which behave badly, with failures and rate limits.
    """
    if control:
        raise click.UsageError("--control does not apply: no bare application is measured")
    finish("soak", soak.Soak(minutes, workers, clients), as_json, record)


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


def section(benchmark: str, dialect: str) -> str:
    """The name of its section in the documentation: each dialect has its own."""
    return benchmark if dialect == DEFAULT_DIALECT else f"{benchmark}-{dialect}"


def finish(name: str, benchmark: Benchmark, as_json: bool, record: Path | None) -> None:
    """Run the benchmark, print its report, and record it if ``record`` names a file."""
    machine = this_machine()
    try:
        rows = benchmark.run()
    except (ClientError, MissingError, ProbeError, StartError) as error:
        raise click.ClickException(str(error)) from error
    notes = [*(CONTROL * benchmark.control), *benchmark.notes]
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


if __name__ == "__main__":
    main()
