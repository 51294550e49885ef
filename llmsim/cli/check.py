"""``llmsim check``."""

from __future__ import annotations

from typing import Final

import click
import yaml

from llmsim import config
from llmsim.cli import flags
from llmsim.config import collection

DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml's is much faster

EXAMPLES = """\b
Examples:
  llmsim check llmsim.yaml
  llmsim check llmsim.yaml > effective.yaml && llmsim serve --config effective.yaml
  LLMSIM_PORT=9000 llmsim check llmsim.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("path", metavar="CONFIG")
def check(path: str) -> None:
    """Check a configuration file and print what is in effect, as YAML.

    The file is read as `llmsim serve` reads it: LLMSIM_* variables take precedence over it. Each
    mistake is printed with its line and key; the exit code is then 2.
    """
    with collection.paused():
        effective = config.effective(flags.loaded(path, {}))
        text = yaml.dump(effective, Dumper=DUMPER, sort_keys=False, allow_unicode=True)
    click.echo(text, nl=False)
