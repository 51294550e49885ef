"""``llmsim serve``."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import click

from llmsim.cli import flags
from llmsim.cli.top import require_dashboard, terminal
from llmsim.config import Config

EXAMPLES = """\b
Examples:
  llmsim serve
  llmsim serve --port 9000 --workers 4 --latency gpt-5
  llmsim serve --generator echo --latency instant --log-level warning
  llmsim serve --generator "fixed:All good." --seed 7
  llmsim serve --config llmsim.yaml --watch
  llmsim serve --tui --workers 2
  llmsim serve --tls self-signed
  llmsim serve --replay recordings/ --on-miss fail
  llmsim serve --port 0 --ready-file /tmp/llmsim.url
  LLMSIM_PORT=9000 LLMSIM_LATENCY=fast llmsim serve
"""


@click.command(epilog=EXAMPLES)
@flags.sets(
    "host",
    "port",
    "workers",
    "generator",
    "target_tokens",
    "latency",
    "seed",
    "log_level",
    "token",
    "tls",
    "replay",
    "speed",
    "ids",
    "on_miss",
)
@click.option("--tui", is_flag=True, help="Also show the dashboard of llmsim top.")
@click.option(
    "--watch",
    is_flag=True,
    help="Take the configuration again when its file changes, as at SIGHUP: the files it takes "
    "mocks from and certificates too.",
)
@click.option(
    "--ready-file",
    metavar="FILE",
    help="A file that appears once the server is ready, with its URL, and goes with it.",
)
@click.option(
    "--until-eof",
    is_flag=True,
    help="Also stop when standard input ends: with the program that holds its other end.",
)
def serve(
    path: str | None,
    tui: bool,
    watch: bool,
    ready_file: str | None,
    until_eof: bool,
    **values: str | None,
) -> None:
    """Run the server.

    It stops at SIGINT or SIGTERM, once open streams have ended or server.drain_timeout_ms is over.

    Flags take precedence over LLMSIM_* variables (--target-tokens is LLMSIM_TARGET_TOKENS),
    variables over the file, the file over the defaults.

    With --tui the output of the server goes to a file, whose name is shown. Quitting the
    dashboard stops the server as SIGTERM does. If the dashboard crashes or is killed, the server
    keeps running.
    """
    if tui:
        require_dashboard()
        if not terminal():
            raise click.UsageError("--tui needs a terminal")
    watched = flags.watched(path) if watch else None
    with _no_garbage():
        config = flags.loaded(path, values)
        # Imported late: it takes longer than all other commands need.
        from llmsim.server import launch  # noqa: PLC0415
    if tui and not config.control.enabled:
        raise click.UsageError("--tui needs control.enabled: true, which the configuration denies")
    if tui and not config.server.port:
        raise click.UsageError("--tui needs a port that is known: --port 0 has none yet")
    if tui and config.server.tls is not None and config.server.tls.client_ca is not None:
        raise click.UsageError("--tui has no certificate to show: llmsim top --cert has one")
    beside = _beside(config) if tui else nullcontext()
    try:
        with beside:
            launch.serve(config, flags.loading(path, values), ready_file, until_eof, watched)
    except launch.CannotStart as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Imports leave next to none, and looking for it takes a tenth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _beside(config: Config) -> AbstractContextManager[object]:
    """The dashboard. Imported late: only Unix has terminals that it can put right."""
    from llmsim.cli.companion import Companion  # noqa: PLC0415

    return Companion(config)
