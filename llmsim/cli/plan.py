"""``llmsim plan``."""

from __future__ import annotations

import json
from typing import IO

import click

from llmsim.cli import flags


class DialectChoice(click.ParamType[str]):
    """One of the registry's codecs, by its name. The registry is read when it is needed: what it
    imports takes longer than the --help of other commands should."""

    name = "dialect"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice().get_metavar(param, ctx)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return self._choice().convert(value, param, ctx)

    def _choice(self) -> click.Choice[str]:
        from llmsim.providers import registry  # noqa: PLC0415  see above

        return click.Choice(list(registry.by_codec()))


EXAMPLES = """\b
Examples:
  llmsim plan request.json
  llmsim plan request.json --latency gpt-5 --seed 7
  echo '{"model": "gpt-5", "messages": [{"role": "user", "content": "Hi"}]}' | llmsim plan
  llmsim plan request.json --json | jq '.frames[].due_ms'
"""


@click.command(epilog=EXAMPLES, short_help="Print the answer to a request, without a server.")
@click.argument("body", type=click.File("rb"), metavar="[FILE]", default="-")
@click.option(
    "--dialect",
    "name",
    type=DialectChoice(),
    default="openai_chat",
    show_default=True,
    help="The API whose request this is.",
)
@flags.sets("generator", "target_tokens", "latency")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    metavar="N",
    help="The answer's seed, as the header x-llmsim-seed tells it. Default: the one the server "
    "would take, or a new one.",
)
@click.option(
    "--turn",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    help="Which text of the generator sequence comes next, from 0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(
    body: IO[bytes],
    name: str,
    path: str | None,
    seed: int | None,
    turn: int,
    as_json: bool,
    **given: str | None,
) -> None:
    """Print the answer to one request, frame by frame, with the time each is due.

    The request's JSON body is read from FILE or standard input; nothing is sent. Where an API
    has the model in the path, as Gemini's, the body has to name it as "model", and ask for a
    stream with "stream": true. Ids and times of creation are zero, so that two plans can be
    compared.
    """
    config = flags.loaded(path, given)
    # Imported late: numpy and the tokenizers take longer than --help needs.
    from llmsim.cli import plan_output  # noqa: PLC0415
    from llmsim.providers import registry  # noqa: PLC0415

    endpoint = registry.by_codec(config.validation == "strict")[name]
    made = plan_output.planned(body.read(), endpoint, config, seed, turn)
    told = json.dumps(plan_output.described(made), indent=2) if as_json else plan_output.drawn(made)
    click.echo(told)
