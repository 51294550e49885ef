"""``llmsim ctl``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import IO, Any
from urllib.parse import quote

import click
import yaml

from llmsim.cli.remote import YAML, Remote, address

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
"""

file_argument = click.argument("file", type=click.File("rb"), metavar="[FILE]", default="-")


@click.group(epilog=EXAMPLES)
@click.option(
    "--url",
    envvar="LLMSIM_URL",
    default="http://127.0.0.1:8080",
    metavar="URL",
    help="The server. Default: what LLMSIM_URL says, or http://127.0.0.1:8080.",
)
@click.option(
    "--token",
    envvar="LLMSIM_TOKEN",
    metavar="TOKEN",
    help="Sent as Authorization: Bearer. Default: what LLMSIM_TOKEN says, or none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of YAML.")
@click.pass_context
def ctl(context: click.Context, url: str, token: str | None, as_json: bool) -> None:
    """Steer a running server. A change reaches all its workers at once.

    With a faulty value nothing changes, each fault is printed with its key, and the exit code is
    2; it is 1 where the server does not answer.
    """
    try:
        remote = Remote(address(url), token)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None
    context.obj = Session(remote, as_json)


class Session:
    """The server that is meant, and how its answers are printed."""

    def __init__(self, remote: Remote, as_json: bool) -> None:
        self.ask = remote.ask
        self._as_json = as_json

    def tell(self, value: Any) -> None:
        """Print an answer."""
        if self._as_json:
            click.echo(json.dumps(value, indent=2))
        else:
            told = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
            click.echo(told.removesuffix("...\n"), nl=False)


@ctl.command()
@click.argument("section", required=False)
@click.pass_obj
def get(session: Session, section: str | None) -> None:
    """Print the configuration in effect, or one SECTION of it."""
    session.tell(session.ask("GET", "config" if section is None else f"config/{_quoted(section)}"))


@ctl.command(name="set")
@click.argument("settings", nargs=-1, required=True, metavar="KEY=VALUE...")
@click.pass_obj
def set_(session: Session, settings: tuple[str, ...]) -> None:
    """Set keys, all or none: errors.rate_limit_rate=0.2. Values are YAML; null is the default."""
    patch = _patch(settings)
    after = session.ask("PATCH", "config", json.dumps(patch).encode())
    session.tell({section: after.get(section) for section in patch})


@ctl.command()
@file_argument
@click.option("--replace", is_flag=True, help="Replace each section of the file as a whole.")
@click.pass_obj
def apply(session: Session, file: IO[bytes], replace: bool) -> None:
    """Merge the sections of a YAML FILE, or of standard input, into those in effect."""
    session.ask("PUT" if replace else "PATCH", "config", file.read(), YAML)
    click.echo("applied")


@ctl.command()
@click.pass_obj
def reset(session: Session) -> None:
    """Begin all counts that decide about requests again: first-N, scripts, limits."""
    session.ask("POST", "reset")
    click.echo("reset")


@ctl.command(name="restart-timetable")
@click.pass_obj
def restart_timetable(session: Session) -> None:
    """Let the timetable begin now."""
    session.ask("POST", "timetable/restart")
    click.echo("restarted")


@ctl.command()
@click.pass_obj
def reload(session: Session) -> None:
    """Let the server read its configuration file again, as SIGHUP does."""
    left = session.ask("POST", "reload")["unchanged_until_restart"]
    click.echo("reloaded")
    if left:
        click.echo(f"take effect when the server is started anew: {', '.join(left)}", err=True)


@ctl.command()
@click.pass_obj
def limits(session: Session) -> None:
    """Print the buckets of the rate limits."""
    session.tell(session.ask("GET", "limits"))


@ctl.group(invoke_without_command=True)
@click.pass_context
def mocks(context: click.Context) -> None:
    """Print the mocks and how often each was used, or change them."""
    if context.invoked_subcommand is None:
        context.obj.tell(context.obj.ask("GET", "mocks"))


@mocks.command()
@file_argument
@click.pass_obj
def add(session: Session, file: IO[bytes]) -> None:
    """Put the mock in a YAML FILE, or on standard input, before all others."""
    session.ask("POST", "mocks", file.read(), YAML)
    click.echo("added")


@mocks.command()
@file_argument
@click.pass_obj
def replace(session: Session, file: IO[bytes]) -> None:
    """Put the list of mocks in a YAML FILE, or on standard input, in place of all."""
    session.ask("PUT", "mocks", file.read(), YAML)
    click.echo("replaced")


@mocks.command()
@click.argument("name")
@click.pass_obj
def remove(session: Session, name: str) -> None:
    """Remove the mocks called NAME."""
    session.ask("DELETE", f"mocks/{_quoted(name)}")
    click.echo("removed")


@mocks.command()
@click.pass_obj
def clear(session: Session) -> None:
    """Remove all mocks."""
    session.ask("DELETE", "mocks")
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
