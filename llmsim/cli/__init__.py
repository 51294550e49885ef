"""The command line: each command translates its flags and calls the library."""

from __future__ import annotations

import click

from llmsim import __version__
from llmsim.cli.check import check
from llmsim.cli.ctl import ctl
from llmsim.cli.loadtest import loadtest
from llmsim.cli.models import models
from llmsim.cli.overhead import overhead
from llmsim.cli.plan import plan
from llmsim.cli.recorded.anonymise import anonymise
from llmsim.cli.recorded.drift import drift
from llmsim.cli.recorded.fit import fit
from llmsim.cli.recorded.record import record
from llmsim.cli.recorded.recordings import recordings
from llmsim.cli.recorded.replay import replay
from llmsim.cli.requests import requests
from llmsim.cli.schema import schema
from llmsim.cli.serve import serve
from llmsim.cli.top import top
from llmsim.telemetry import build

EXAMPLES = """\b
Examples:
  llmsim serve
  llmsim serve --port 9000 --latency fast --seed 7
  llmsim check llmsim.yaml
  llmsim models
  llmsim top localhost:9000
  llmsim requests --follow
  llmsim ctl set errors.rate_limit_rate=0.2
  echo '{"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}' | llmsim plan
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(
    __version__, prog_name="llmsim", message=f"%(prog)s, version %(version)s ({build.kind()})"
)
def main() -> None:
    """Simulate the APIs of OpenAI, Anthropic and Gemini without a model: exact to the byte,
    paced to the millisecond."""


for _command in (
    serve, top, requests, ctl, plan, check, schema, models, record, recordings, replay, anonymise,
    fit, overhead, loadtest, drift,
):  # fmt: skip
    main.add_command(_command)
