"""``llmsim check``."""

from __future__ import annotations

import click
import yaml

from llmsim import config
from llmsim.cli import flags

EXAMPLES = """\b
Examples:
  llmsim check llmsim.yaml
  llmsim check llmsim.yaml > effective.yaml && llmsim serve --config effective.yaml
  LLMSIM_PORT=9000 llmsim check llmsim.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="CONFIG")
def check(path: str) -> None:
    """Read a configuration as `llmsim serve` would and print what is in effect, as YAML.

    LLMSIM_* variables count over the file. With any fault, each is printed with its line and
    key, and the exit code is 2.
    """
    effective = config.effective(flags.loaded(path, {}))
    click.echo(yaml.safe_dump(effective, sort_keys=False, allow_unicode=True), nl=False)
