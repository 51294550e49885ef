"""Options of the commands that put load on something, and the types of their values."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult

import click

from llmsim.cli.remote import address

F = TypeVar("F", bound=Callable[..., Any])

DIALECTS: Final = ("openai_chat", "openai_responses", "anthropic", "gemini")
UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """A time: ``30s``, ``5m``, ``1h``. This and the following raise BadParameter."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        found = float(number) * UNITS[unit]
    except ValueError:
        found = 0.0
    if not 0 < found < 1e6:
        raise click.BadParameter("expected a time: 30s, 5m")
    return found


def header_pair(text: str) -> tuple[str, str]:
    """Name and value of a header: ``NAME:VALUE``."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or "\r" in text or "\n" in text:
        raise click.BadParameter("expected NAME:VALUE")
    return name.strip(), value.strip()


def rate_range(text: str) -> tuple[float, float]:
    """Requests a second from one number to another: ``LOW..HIGH``."""
    low, dots, high = text.partition("..")
    try:
        found = float(low), float(high if dots else low)
    except ValueError:
        found = 0.0, 0.0
    if not 0 < found[0] <= found[1] < 1e6:
        raise click.BadParameter("expected LOW..HIGH, requests a second")
    return found


def server(text: str) -> SplitResult:
    """A server, as :func:`address` reads it."""
    try:
        return address(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def asking(model_default: str | None = None) -> Callable[[F], F]:
    """Options that say what each request is: of which API, model, length, with which headers."""
    options = (
        click.option(
            "--model", required=model_default is None, default=model_default,
            show_default=model_default is not None, help="The model to ask for.",
        ),
        click.option(
            "--dialect", type=click.Choice(DIALECTS), default=DIALECTS[0], show_default=True
        ),
        click.option(
            "--api-key", envvar="LLMSIM_GATEWAY_KEY", default="sk-llmsim", metavar="KEY",
            help="Sent as the API has it. LLMSIM_GATEWAY_KEY keeps it out of the list of "
            "processes. Default: sk-llmsim.",
        ),
        click.option(
            "-H", "--header", "headers", type=header_pair, multiple=True, metavar="NAME:VALUE",
            help="Sent, too.",
        ),
        click.option("--prompt-tokens", type=click.IntRange(min=1), default=50, show_default=True),
        click.option("--max-tokens", type=click.IntRange(min=1), default=100, show_default=True),
    )  # fmt: skip

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def gathered(
    name: str, make: Callable[..., object], names: Collection[str]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give the command one argument instead of these options': what ``make`` makes of them."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**values: Any) -> None:
            made = make(**{one: values.pop(one) for one in names})
            command(**{name: made}, **values)

        return called

    return decorate
