"""``llmsim ctl``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import IO, Any
from urllib.parse import quote

import click
import yaml

from llmsim.cli import server_options
from llmsim.cli.remote import YAML, Remote

EXAMPLES = """\b
Examples:
  llmsim ctl get errors
  llmsim ctl set errors.rate_limit_rate=0.2 latency.profile=fast
  llmsim ctl set errors=null
  llmsim ctl apply chaos.yaml
  llmsim ctl mocks add mock.yaml
  llmsim ctl limits
  llmsim ctl reset
  llmsim ctl restart-timetable
  llmsim ctl reload
  LLMSIM_TOKEN=secret llmsim ctl --url http://10.0.0.7:8080 get
  llmsim ctl --url https://sim.example:8080 --ca ca.pem get
"""

file_argument = click.argument("file", type=click.File("rb"), metavar="[FILE]", default="-")


@click.group(epilog=EXAMPLES)
@server_options.options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of YAML.")
@click.pass_context
def ctl(
    context: click.Context,
    url: str,
    token: str | None,
    ca: str | None,
    insecure: bool,
    cert: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Change a running server.

    A change is in effect in all workers when the command returns. If a value is invalid, nothing
    changes, each mistake is printed with its key, and the exit code is 2. The exit code is 1 if the
    server does not answer or refuses access.
    """
    server = server_options.remote(url, token, ca, insecure, cert, key)
    context.obj = Session(server, as_json)


class Session:
    """The server that is meant, and how its answers are printed."""

    def __init__(self, remote: Remote, as_json: bool) -> None:
        self.request = remote.request
        self._as_json = as_json

    def print(self, value: Any) -> None:
        """Print an answer."""
        if self._as_json:
            click.echo(json.dumps(value, indent=2))
        else:
            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
            click.echo(text.removesuffix("...\n"), nl=False)


def _examples(*commands: str) -> str:
    return "\b\nExamples:\n" + "".join(f"  llmsim ctl {command}\n" for command in commands)


@ctl.command(epilog=_examples("get", "get errors", "--json get latency"))
@click.argument("section", required=False)
@click.pass_obj
def get(session: Session, section: str | None) -> None:
    """Print the configuration in effect.

    With SECTION only that section of it.
    """
    path = "config" if section is None else f"config/{_quoted(section)}"
    session.print(session.request("GET", path))


@ctl.command(
    name="set",
    epilog=_examples(
        "set errors.rate_limit_rate=0.2 latency.profile=fast",
        "set errors=null",
    ),
)
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.pass_obj
def set_(session: Session, settings: tuple[str, ...]) -> None:
    """Set keys of the configuration, all of them or none.

    Values are YAML; null restores the default.
    """
    patch = _patch(settings)
    after = session.request("PATCH", "config", json.dumps(patch).encode())
    session.print({section: after.get(section) for section in patch})


@ctl.command(epilog=_examples("apply chaos.yaml", "apply --replace < chaos.yaml"))
@file_argument
@click.option("--replace", is_flag=True, help="Replace the sections instead of merging into them.")
@click.pass_obj
def apply(session: Session, file: IO[bytes], replace: bool) -> None:
    """Merge a YAML file into the configuration.

    Without FILE it is read from standard input.
    """
    session.request("PUT" if replace else "PATCH", "config", file.read(), YAML)
    click.echo("applied")


@ctl.command(epilog=_examples("reset", "reset --what journal,stats"))
@click.option(
    "--what",
    metavar="PARTS",
    help="Only these, with commas: journal, counters, stats, limits, mocks.",
)
@click.pass_obj
def reset(session: Session, what: str | None) -> None:
    """Reset the counts of failures, mocks, scripts and limits."""
    session.request("POST", "reset" if what is None else f"reset?what={_quoted(what)}")
    click.echo("reset")


@ctl.command(name="restart-timetable", epilog=_examples("restart-timetable"))
@click.pass_obj
def restart_timetable(session: Session) -> None:
    """Restart the timetable of failures from its beginning."""
    session.request("POST", "timetable/restart")
    click.echo("restarted")


@ctl.command(epilog=_examples("reload"))
@click.pass_obj
def reload(session: Session) -> None:
    """Read the configuration file again, as at SIGHUP."""
    left = session.request("POST", "reload")["unchanged_until_restart"]
    click.echo("reloaded")
    if left:
        click.echo(f"take effect when the server is restarted: {', '.join(left)}", err=True)


@ctl.command(epilog=_examples("limits"))
@click.pass_obj
def limits(session: Session) -> None:
    """Print the rate limits and what is left of each."""
    session.print(session.request("GET", "limits"))


@ctl.group(
    invoke_without_command=True,
    epilog=_examples("mocks", "mocks add mock.yaml", "mocks remove weather"),
)
@click.pass_context
def mocks(context: click.Context) -> None:
    """Print the mocks, or change them.

    Without a command they are printed, each with how often it was used.
    """
    if context.invoked_subcommand is None:
        context.obj.print(context.obj.request("GET", "mocks"))


@mocks.command(epilog=_examples("mocks add mock.yaml"))
@file_argument
@click.pass_obj
def add(session: Session, file: IO[bytes]) -> None:
    """Add the mock in a YAML file before all others.

    Without FILE it is read from standard input.
    """
    session.request("POST", "mocks", file.read(), YAML)
    click.echo("added")


@mocks.command(epilog=_examples("mocks replace mocks.yaml"))
@file_argument
@click.pass_obj
def replace(session: Session, file: IO[bytes]) -> None:
    """Replace all mocks by the list in a YAML file.

    Without FILE it is read from standard input.
    """
    session.request("PUT", "mocks", file.read(), YAML)
    click.echo("replaced")


@mocks.command(epilog=_examples("mocks remove weather"))
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Remove the mocks named NAME."""
    session.request("DELETE", f"mocks/{_quoted(name)}")
    click.echo("removed")


@mocks.command(epilog=_examples("mocks clear"))
@click.pass_obj
def clear(session: Session) -> None:
    """Remove all mocks."""
    session.request("DELETE", "mocks")
    click.echo("cleared")


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _patch(settings: Iterable[str]) -> dict[str, Any]:
    """``a.b=1`` and so on as one mapping. Raises BadParameter."""
    patch: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        names = key.split(".")
        if not equals or not all(names):
            raise click.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="KEY=VALUE")
        try:
            value = yaml.safe_load(text)
            json.dumps(value)
        except (yaml.YAMLError, TypeError):
            raise click.BadParameter(
                f"{setting!r} is not a value in YAML", param_hint=key
            ) from None
        into = patch
        for name in names[:-1]:
            into = into.setdefault(name, {})
            if not isinstance(into, dict):
                raise click.BadParameter(f"{key}: set within a value", param_hint="KEY=VALUE")
        into[names[-1]] = value
    return patch
