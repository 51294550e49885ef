"""The options by which a command is pointed at a running server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from llmsim.cli import trust
from llmsim.cli.remote import Remote, address

F = TypeVar("F", bound=Callable[..., None])


def options(command: F) -> F:
    """Adds ``--url``, ``--token`` and those of :mod:`llmsim.cli.trust`: the parameters of
    :func:`remote`."""
    command = trust.options(command)
    for option in (
        click.option(
            "--token",
            envvar="LLMSIM_TOKEN",
            metavar="TOKEN",
            help="Bearer token, if the server requires one. Default: LLMSIM_TOKEN, or none.",
        ),
        click.option(
            "--url",
            envvar="LLMSIM_URL",
            default="http://127.0.0.1:8080",
            metavar="URL",
            help="Address of the server. Default: LLMSIM_URL, or http://127.0.0.1:8080.",
        ),
    ):
        command = option(command)
    return command


def remote(
    url: str,
    token: str | None,
    ca: str | None,
    insecure: bool,
    cert: str | None,
    key: str | None,
) -> Remote:
    """The server they mean. Raises BadParameter and ClickException."""
    try:
        server = address(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--url") from None
    tls = trust.context(ca, insecure, cert, key) if server.scheme == "https" else None
    return Remote(server, token, tls)
