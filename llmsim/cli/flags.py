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
    "host": ("ADDRESS", "IP address to listen on. Default 0.0.0.0."),
    "port": ("PORT", "Port to listen on. Default 8080."),
    "workers": ("N", "Worker processes. Default: one for each processor."),
    "generator": (
        "NAME",
        "What answers say: lorem, echo, random, sequence or fixed:TEXT. Default lorem.",
    ),
    "target_tokens": ("N", "Tokens of an answer that nothing else bounds. Default 100."),
    "latency": (
        "PROFILE",
        f"How answers are paced: auto (as the model of each request) or {', '.join(PRESETS)}. "
        "Replaces the whole latency section of the file. Default auto.",
    ),
    "seed": ("N", "Makes all answers repeatable. Default: every answer is new."),
    "token": (
        "TOKEN",
        "What llmsim's own endpoints want to see; better in LLMSIM_TOKEN, as others on the "
        "machine see flags. Default: none, they are open.",
    ),
    "log_level": ("LEVEL", "debug, info, warning or error. Default info."),
}


class Refused(click.ClickException):
    """A configuration with faults: one line each on standard error, exit code 2."""

    exit_code = 2

    def __init__(self, faults: tuple[ConfigFault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=True)


def sets(*names: str) -> Callable[[F], F]:
    """Gives a command ``--config`` and these flags; each is text, or None where it is absent."""

    def add(command: F) -> F:
        for name in reversed(names):
            metavar, help_text = _FLAGS[name]
            option = "--" + name.replace("_", "-")
            command = click.option(option, name, metavar=metavar, help=help_text)(command)
        file = "YAML file to read. Default: what LLMSIM_CONFIG names, or none."
        return click.option("--config", "path", metavar="FILE", help=file)(command)

    return add


def loaded(path: str | Path | None, given: Mapping[str, str | None]) -> Config:
    """The configuration from file, environment and flags. Raises Refused."""
    try:
        return config.load(None if path is None else str(path), os.environ, given)
    except ConfigError as error:
        raise Refused(error.faults) from None


def loading(path: str | None, given: Mapping[str, str | None]) -> Callable[[], Config]:
    """Loads the same again, whatever it says by then, in this process or another one. Raises
    ConfigError."""
    return partial(config.load, path, dict(os.environ), dict(given))
