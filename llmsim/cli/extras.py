"""What a command needs beyond the packages that llmsim always brings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """A package that is missing is one line, which names the extra that has it."""
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed: pip install 'llmsim[{extra}]'"
        raise click.ClickException(message) from None
