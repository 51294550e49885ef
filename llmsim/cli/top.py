"""``llmsim top``."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from urllib.parse import SplitResult

import click

from llmsim.cli import trust
from llmsim.cli.remote import address

EXAMPLES = """\b
Examples:
  llmsim top
  llmsim top localhost:9000
  llmsim top https://llmsim.example.com --token "$TOKEN"
  LLMSIM_TOKEN=secret llmsim top http://10.0.0.7:8080
"""


def terminal() -> bool:
    """Whether somebody sits at a terminal that can show a dashboard."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def require_dashboard() -> None:
    """Raises ClickException (exit code 1) where the extra ``tui`` is not installed."""
    if find_spec("textual") is None or find_spec("rich") is None:
        raise click.ClickException("the dashboard is not installed: pip install 'llmsim[tui]'")


@click.command(epilog=EXAMPLES)
@click.argument("url", metavar="[URL]", default="http://127.0.0.1:8080", envvar="LLMSIM_URL")
@click.option(
    "--token",
    envvar="LLMSIM_TOKEN",
    metavar="TOKEN",
    help="Bearer token, if the server requires one. Default: LLMSIM_TOKEN, or none.",
)
@trust.options
@click.option("--owner", type=int, hidden=True, help="Process to end with.")
def top(
    url: str,
    token: str | None,
    ca: str | None,
    insecure: bool,
    cert: str | None,
    key: str | None,
    owner: int | None,
) -> None:
    """Watch a running server in the terminal.

    Shows traffic, tokens, latency, errors, rate limits and workers. URL defaults to LLMSIM_URL,
    or http://127.0.0.1:8080; the statistics at URL/llmsim/stats are read five times a second.
    While the server does not answer, the dashboard says so and tries again every second.

    Keys: q quits, r reads at once, p pauses, e shows all errors.
    """
    try:
        server = address(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="URL") from None
    require_dashboard()
    if not terminal():
        raise click.UsageError("top needs a terminal; a program can read URL/llmsim/stats")
    try:
        sys.exit(_watched(server, token, (ca, insecure, cert, key), owner))
    except KeyboardInterrupt:  # before the dashboard has the keyboard
        sys.exit(0)


def _watched(
    server: SplitResult,
    token: str | None,
    trusted: tuple[str | None, bool, str | None, str | None],
    owner: int | None,
) -> int | None:
    """Show the dashboard until it ends; the exit code."""
    # Imported late: it is an extra, and takes longer than all other commands need.
    from llmsim.tui.app import Dashboard  # noqa: PLC0415
    from llmsim.tui.poller import Poller  # noqa: PLC0415
    from llmsim.tui.stats_client import StatsClient  # noqa: PLC0415

    quit_label = "Quit" if owner is None else "Stop server"
    tls = trust.context(*trusted) if server.scheme == "https" else None
    client = StatsClient(server, token, context=tls)
    app = Dashboard(server.geturl(), Poller(client.read), quit_label, owner)
    app.run()
    return app.return_code
