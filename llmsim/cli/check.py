"""``llmsim check``."""

from __future__ import annotations

from typing import Final

import click
import yaml

from llmsim import config
from llmsim.cli import flags
from llmsim.config import Config, collection

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
    mistake is printed with its line and key; the exit code is then 2. This includes what is wrong
    with the files of server.tls; a certificate that has expired is a warning.
    """
    with collection.paused():
        loaded = flags.loaded(path, {})
        effective = config.effective(loaded)
        text = yaml.dump(effective, Dumper=DUMPER, sort_keys=False, allow_unicode=True)
    click.echo(text, nl=False)
    warning = _warning(loaded)
    if warning is not None:
        click.echo(f"warning: {warning}", err=True)


def _warning(loaded: Config) -> str | None:
    """What is no mistake but may not be meant."""
    # Imported late: few need it.
    from llmsim.config import certificates  # noqa: PLC0415

    tls = loaded.server.tls
    certificate = None if tls is None else certificates.examine(tls)
    warning = None if certificate is None else certificate.warning()
    return None if warning is None else f"server.tls.cert: {warning}"
