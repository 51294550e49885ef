"""``llmsim models``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from llmsim.cli.table import table

if TYPE_CHECKING:
    from llmsim.core.catalog.models import Model

HEAD = ("MODEL", "OWNER", "CONTEXT", "MAX OUTPUT", "ENCODING", "LATENCY", "REASONING")


EXAMPLES = """\b
Examples:
  llmsim models
  llmsim models | grep claude
  llmsim models --json
"""


@click.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def models(as_json: bool) -> None:
    """List the known models.

    Each with its limits in tokens, its tokenizer and its latency profile.
    """
    # Imported late: reading the catalogue takes longer than --help needs.
    from msgspec import to_builtins  # noqa: PLC0415

    from llmsim.core.catalog.models import MODELS  # noqa: PLC0415

    known = list(MODELS.values())
    click.echo(json.dumps(to_builtins(known), indent=2) if as_json else drawn(known))


def drawn(known: Sequence[Model]) -> str:
    """The models as a table."""
    rows = [
        (
            model.id,
            model.owner,
            model.context_window,
            model.max_output_tokens,
            model.encoding,
            model.latency,
            "yes" if model.reasoning else "no",
        )
        for model in known
    ]
    return table(HEAD, rows)
