"""``llmsim loadtest``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

import llmsim
from llmsim.cli.load_options import asking, seconds
from llmsim.loadtest.profiles import PROFILES

LOCUSTFILE: Final = Path(llmsim.__file__).parent / "loadtest/locustfile.py"

EXAMPLES = """\b
Examples:
  llmsim loadtest smoke --target http://127.0.0.1:4000
  llmsim loadtest spike --target http://127.0.0.1:4000 --rate 50 --duration 2m
  llmsim loadtest load --target http://127.0.0.1:4000 --dialect anthropic --max-ttft-p95-ms 900
  llmsim loadtest soak --target http://127.0.0.1:4000 --processes 4
"""


def _print_file(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(LOCUSTFILE)
        ctx.exit()


@click.command(epilog=EXAMPLES)
@click.argument("profile", type=click.Choice(tuple(PROFILES)))
@click.option("--target", required=True, metavar="URL", help="What to put load on.")
@asking("gpt-4o-mini")
@click.option("--plain", is_flag=True, help="Answers in one piece, and no streams.")
@click.option(
    "--rate", type=click.FloatRange(min=1), metavar="N",
    help="Most requests a second. Default: the profile's.",
)  # fmt: skip
@click.option("--duration", type=seconds, metavar="TIME", help="30s, 5m. Default: the profile's.")
@click.option("--processes", type=click.IntRange(min=1), help="Processes that send. Default: one.")
@click.option("--max-ttft-p95-ms", type=float, metavar="MS")
@click.option("--max-total-p95-ms", type=float, metavar="MS")
@click.option("--max-overhead-ttft-p95-ms", type=float, metavar="MS")
@click.option("--max-overhead-total-p95-ms", type=float, metavar="MS")
@click.option(
    "--locustfile", is_flag=True, is_eager=True, expose_value=False, callback=_print_file,
    help="Print where the file is that Locust runs: for several machines.",
)  # fmt: skip
def loadtest(
    profile: str,
    target: str,
    plain: bool,
    headers: tuple[tuple[str, str], ...],
    processes: int | None,
    **options: object,
) -> None:
    """Put load of a shape on a gateway.

    Anything that speaks one of the APIs will do.

    Requests come at random times at the rate of the profile, whether answers come or not: smoke
    (a few), load (up, on, down), stress (steps), spike (ten times as much at once), soak (long).
    Exit code 1 if any request failed, none was made, or a limit is exceeded.
    """
    if find_spec("locust") is None:
        raise click.ClickException("locust is not installed: pip install 'llmsim[load]'")
    environment = {
        "LOAD_SHAPE": profile,
        "LOAD_PLAIN": "1" if plain else "",
        "LOAD_HEADERS": json.dumps(headers),
        **{f"LOAD_{name.upper()}": str(one) for name, one in options.items() if one is not None},
    }
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
    command += ["--host", target.rstrip("/"), "--only-summary"]
    if processes is not None and processes > 1:
        command += ["--processes", str(processes)]
    try:
        done = subprocess.run(command, env=os.environ | environment, check=False)
    except KeyboardInterrupt:
        raise click.Abort from None
    sys.exit(done.returncode)
