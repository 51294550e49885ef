"""The flags that set a key of the configuration, and the configuration they lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import click

from llmsim import config
from llmsim.config import Config
from llmsim.core.catalog.profiles import PRESETS
from llmsim.core.errors import ConfigError, ConfigFault

F = TypeVar("F", bound=Callable[..., None])

_FLAGS: Final[Mapping[str, tuple[str, str]]] = {
    "host": ("ADDRESS", "IP address to listen on. Default: 0.0.0.0."),
    "port": ("PORT", "Port to listen on; 0 is a free one. Default: 8080."),
    "workers": ("N", "Number of worker processes. Default: one per processor."),
    "generator": (
        "NAME",
        "Text of the answers: lorem, echo, random, sequence or fixed:TEXT. Default: lorem.",
    ),
    "target_tokens": (
        "N",
        "Length of answers in tokens, unless the request allows fewer. Default: 100.",
    ),
    "latency": (
        "PROFILE",
        f"Latency profile: auto (the one of the request's model) or one of {', '.join(PRESETS)}. "
        "Replaces the whole latency section of the file. Default: auto.",
    ),
    "seed": ("N", "Makes answers reproducible: the same request, the same answer. Default: none."),
    "token": (
        "TOKEN",
        "Bearer token that llmsim's own endpoints (/llmsim/...) require. LLMSIM_TOKEN "
        "keeps it out of the list of processes. Default: none, they are open to all.",
    ),
    "tls": (
        "self-signed[:FOLDER]",
        "Speak TLS with a self-signed certificate for this machine. The path of the certificate "
        "that signed it, which clients need, is printed on a line of its own; FOLDER keeps it. "
        "Certificates of your own: server.tls in the file. Default: plain HTTP.",
    ),
    "replay": (
        "PATH",
        "Answer from recordings: a folder of them, or one of its files. Default: none.",
    ),
    "speed": ("FACTOR", "How fast recordings are replayed: 2 halves their times. Default: 1."),
    "ids": (
        "WHAT",
        "Whether answers from recordings have ids of their own, fresh, or keep the recorded ones. "
        "Default: fresh.",
    ),
    "on_miss": (
        "WHAT",
        "What requests get that neither a mock nor a recording answers: simulate, fail or "
        "proxy (its provider's service, of the section proxy). "
        "Replaces the whole on_miss section of the file. Default: simulate.",
    ),
    "log_level": (
        "LEVEL",
        "Lowest level that is logged: debug, info, warning or error. Default: info.",
    ),
}


class InvalidConfig(click.ClickException):
    """A configuration with mistakes: one line each on standard error, exit code 2."""

    exit_code = 2

    def __init__(self, faults: tuple[ConfigFault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=True)


def sets(*names: str) -> Callable[[F], F]:
    """Adds ``--config`` and these flags to a command; each is text, or None where it is absent."""

    def add(command: F) -> F:
        for name in reversed(names):
            metavar, help_text = _FLAGS[name]
            option = "--" + name.replace("_", "-")
            command = click.option(option, name, metavar=metavar, help=help_text)(command)
        file = "Configuration in YAML. Default: the file LLMSIM_CONFIG names, or none."
        return click.option("--config", "path", metavar="FILE", help=file)(command)

    return add


def loaded(path: str | Path | None, values: Mapping[str, str | None]) -> Config:
    """The configuration from file, environment and flags. Raises InvalidConfig."""
    try:
        return config.load(None if path is None else str(path), os.environ, values)
    except ConfigError as error:
        raise InvalidConfig(error.faults) from None


def watched(path: str | None) -> Callable[[], tuple[Path, ...]]:
    """A function that gives the files it is read from, as the file names them by then. Raises
    UsageError where there is none."""
    if not config.files(path, os.environ):
        raise click.UsageError("--watch needs a file to watch: --config FILE")
    return partial(config.files, path, dict(os.environ))


def loading(path: str | None, values: Mapping[str, str | None]) -> Callable[[], Config]:
    """A function that loads it again, as the file is by then, which has to say something. It can go
    to another process, and raises ConfigError."""
    return partial(config.load, path, dict(os.environ), dict(values), reloading=True)
