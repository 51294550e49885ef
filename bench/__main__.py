"""``python -m bench``: one command a benchmark."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from bench import configured, mocks, pacing, soak, startup, streams, throughput
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
    """What every benchmark is: settings, how its rows are shown, and a way to get them."""

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
    """How fast llmsim is here, beside a bare Granian application in the same run.

    Each benchmark starts its own servers on free ports of 127.0.0.1, stops them, and prints a
    Markdown table with the machine and the versions.
    """


def output(command: F) -> F:
    """The options on where a report goes."""
    document = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON in place of a table."),
        click.option(
            "--record", type=document, help="Also replace the benchmark's section of this file."
        ),
        click.option(
            "--control", is_flag=True, help="Measure the bare application in llmsim's place."
        ),
    ):
        command = option(command)
    return command


dialect_option = click.option(
    "--dialect", type=click.Choice(list(WIRES)), default=DEFAULT_DIALECT, show_default=True
)
rounds_option = click.option(
    "--rounds", type=click.IntRange(1), default=3, show_default=True, help="Turns of each server."
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1),
    multiple=True,
    default=(1, 2),
    show_default=True,
    help="Worker processes; give it again for another count.",
)
connections_option = click.option(
    "--connections", type=click.IntRange(2), default=64, show_default=True
)
tokens_option = click.option(
    "--tokens", type=click.IntRange(1), default=100, show_default=True, help="Tokens an answer."
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
    help="What to ask; give it again for another. [default: all]",
)
@workers_option
@rounds_option
@click.option("--seconds", type=click.IntRange(1), default=5, show_default=True, help="A turn.")
@connections_option
@tokens_option
@output
def throughput_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Plain answers a second and CPU a request, llmsim beside bare."""
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
@click.option("--seconds", type=click.FloatRange(0.1), default=5, show_default=True, help="A turn.")
@connections_option
@tokens_option
@output
def streams_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Unpaced streams: chunks a second and CPU a chunk, llmsim beside bare."""
    benchmark = streams.Streams(dialect=dialect, control=control, **settings)
    finish(section("streams", dialect), benchmark, as_json, record)


@main.command(
    "pacing",
    epilog="""\b
Examples:
  python -m bench pacing
  python -m bench pacing --streams 2000 --seconds 20
  python -m bench pacing --streams 200 --control --late-ms 25
""",
)
@dialect_option
@click.option(
    "--streams",
    type=click.IntRange(1),
    multiple=True,
    default=(500, 2000, 5000),
    show_default=True,
    help="Streams at once; give it again for another count.",
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0.5),
    default=15,
    show_default=True,
    help="The time measured, when all streams are open.",
)
@click.option(
    "--late-ms",
    type=click.FloatRange(0),
    default=0,
    help="With --control: send every frame so much too late, to see that it is found.",
)
@click.option(
    "--dashboards",
    type=click.IntRange(0),
    default=0,
    help="Pages open meanwhile, with a scrape of /metrics each second.",
)
@output
def pacing_command(
    as_json: bool, record: Path | None, control: bool, dialect: str, **settings: Any
) -> None:
    """Paced streams at 30 tokens/s: what share comes, how late, at what cost."""
    if control and settings["dashboards"]:
        raise click.UsageError("a bare application has no dashboards")
    benchmark = pacing.Pacing(dialect=dialect, control=control, **settings)
    finish(section("pacing", dialect), benchmark, as_json, record)


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
    """What looking for a mock costs a request, by the number of rules."""
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
@click.option("--seconds", type=click.IntRange(1), default=2, show_default=True, help="A turn.")
@output
def configured_command(
    as_json: bool, record: Path | None, control: bool, rounds: int, seconds: int
) -> None:
    """What limits, failures, mocks and keys cost a plain answer."""
    if control:
        raise click.UsageError("what is configured is compared with nothing: --control is no use")
    finish("configured", configured.Configured(rounds, seconds), as_json, record)


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
    """Time to the first 200, memory and CPU of an idle server."""
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
    """Mixed load with failures, limits and clients that behave badly: what grows, what is left."""
    if control:
        raise click.UsageError("there is nothing to compare a soak with: --control has no meaning")
    finish("soak", soak.Soak(minutes, workers, clients), as_json, record)


def section(benchmark: str, dialect: str) -> str:
    """The name of its section in the documentation: each dialect has its own."""
    return benchmark if dialect == DEFAULT_DIALECT else f"{benchmark}-{dialect}"


def finish(name: str, benchmark: Benchmark, as_json: bool, record: Path | None) -> None:
    """Run the benchmark, print what it found, and write it down if asked to."""
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
    """The command line to have the same again, without where its output goes."""
    words = sys.argv[1:]
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word not in {"--json", "--record"} and before != "--record"
    ]
    return shlex.join(["python", "-m", "bench", *kept])


if __name__ == "__main__":
    main()
