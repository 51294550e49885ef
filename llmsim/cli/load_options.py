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


class Seconds(click.ParamType):
    """A time: ``30s``, ``5m``, ``1h``. Seconds, as a number."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        text = str(value)
        number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
        try:
            found = float(number) * UNITS[unit]
        except ValueError:
            found = 0.0
        if not 0 < found < 1e6:
            self.fail("expected a time: 30s, 5m", param, ctx)
        return found


class HeaderPair(click.ParamType):
    """A header: ``NAME:VALUE``. Its name and its value."""

    name = "header"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, colon, text = str(value).partition(":")
        if not colon or not name.strip() or "\r" in text or "\n" in text:
            self.fail("expected NAME:VALUE", param, ctx)
        return name.strip(), text.strip()


class RateRange(click.ParamType):
    """Requests a second from one number to another: ``LOW..HIGH``. Both numbers."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        low, dots, high = str(value).partition("..")
        try:
            found = float(low), float(high if dots else low)
        except ValueError:
            found = 0.0, 0.0
        if not 0 < found[0] <= found[1] < 1e6:
            self.fail("expected LOW..HIGH, requests a second", param, ctx)
        return found


class Address(click.ParamType):
    """A server, as :func:`address` reads it."""

    name = "url"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> SplitResult:
        try:
            return address(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


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
            "-H", "--header", "headers", type=HeaderPair(), multiple=True, metavar="NAME:VALUE",
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
