"""``llmsim record``."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import click

from llmsim.cli.extras import needs
from llmsim.config.settings import Anonymise, ProxySettings, RecordSettings

UNITS: Final = {"k": 2**10, "m": 2**20, "g": 2**30}

EXAMPLES = """\b
Examples:
  llmsim record --upstream openai=https://api.openai.com --out recordings/
  llmsim record --upstream anthropic=https://api.anthropic.com --out recordings/ --anonymise strict
  llmsim record --upstream openai=http://127.0.0.1:8000 --allow 127.0.0.1 --out recordings/
"""


def _size(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Bytes, as ``500M`` or ``2G``."""
    if value is None:
        return None
    number, unit = (value[:-1], value[-1:].lower()) if value[-1:].isalpha() else (value, "")
    if not number.isdigit() or unit not in ("", *UNITS):
        raise click.BadParameter(f"{value} is no size, such as 500M or 2G")
    return int(number) * UNITS.get(unit, 1)


@click.command(epilog=EXAMPLES)
@click.option(
    "--upstream",
    "upstreams",
    multiple=True,
    required=True,
    metavar="PROVIDER=URL",
    help="Where requests of a provider go: openai, anthropic or gemini. May be given for each.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The folder for recordings."
)
@click.option(
    "--anonymise",
    "mode",
    type=click.Choice(get_args(Anonymise)),
    default="standard",
    show_default=True,
    help="What is replaced before anything is written; API keys in headers are never kept.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="IP address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Number of processes; each has a file of its own.",
)
@click.option(
    "--allow",
    multiple=True,
    metavar="HOST",
    help="A host, address or network that may be called though it is private.",
)
@click.option(
    "--max-size",
    callback=_size,
    metavar="SIZE",
    help="How large the folder may become, such as 2G: the oldest go.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(1, 86_400),
    default=600.0,
    show_default=True,
    help="Seconds that a service may say nothing.",
)
def record(
    upstreams: tuple[str, ...],
    out: Path,
    mode: Anonymise,
    host: str,
    port: int,
    workers: int,
    allow: tuple[str, ...],
    max_size: int | None,
    timeout: float,
) -> None:
    """Record traffic: a proxy in front of the real services.

    Point a client's base URL at it. Requests and answers pass unchanged, frame by frame, and are
    written to the folder with the time of each frame. It stops at SIGINT or SIGTERM, once open
    answers have ended.
    """
    try:
        with needs("record"):
            # Imported late: none of it is needed for any other command.
            from llmsim.proxy import launch  # noqa: PLC0415
            from llmsim.proxy.upstreams import named  # noqa: PLC0415

            settings = ProxySettings(tuple(map(named, upstreams)), allow, timeout)
            kept = RecordSettings(str(out), mode, max_size)
            for provider, url in settings.upstreams:
                click.echo(f"{provider} at http://{host}:{port} goes to {url}", err=True)
            launch.proxy(settings, kept, host, port, workers)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or host}: {error.strerror}") from None
