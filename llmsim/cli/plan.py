"""``llmsim plan``."""

from __future__ import annotations

import json
import secrets
import time
from typing import IO, Final

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


NO_ID: Final = "0" * 26


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
    help="Seed of the answer, as in the header x-llmsim-seed of a response. Default: the one the "
    "server would use, or a random one.",
)
@click.option(
    "--turn",
    type=click.IntRange(0),
    metavar="N",
    default=0,
    help="Which text of the generator sequence to answer with, from 0.",
)
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="A header of the request, such as x-llmsim-error:429. Can be repeated.",
)
@click.option(
    "--id",
    "mark",
    default=NO_ID,
    metavar="HEX",
    help="26 hexadecimal digits to make all ids of, or new for random ones. Default: zeros.",
)
@click.option(
    "--created",
    default="0",
    metavar="SECONDS",
    help="Unix time at which the answer is created, or now. Default: 0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(
    body: IO[bytes],
    name: str,
    path: str | None,
    seed: int | None,
    turn: int,
    headers: tuple[str, ...],
    mark: str,
    created: str,
    as_json: bool,
    **flag_values: str | None,
) -> None:
    """Print the answer to one request, frame by frame, with the time each is due.

    The JSON body of the request is read from FILE or standard input; nothing is sent. If the API
    has the model in the path, as Gemini's, name it in the body as "model", and ask for a stream
    with "stream": true.

    The answer is the one of a server that has just started with this configuration: mocks,
    limits, failures and headers apply, and there was no request before. Ids and times of creation
    are zero unless you set them, so that two plans can be compared. The exit code is 1 if the
    request is refused.
    """
    config = flags.loaded(path, flag_values)
    # Imported late: numpy and the tokenizers take longer than --help needs.
    from llmsim.cli import plan_output  # noqa: PLC0415
    from llmsim.core import Stamp  # noqa: PLC0415
    from llmsim.library.answers import planned  # noqa: PLC0415
    from llmsim.providers import registry  # noqa: PLC0415

    endpoint = registry.by_codec(config.validation == "strict")[name]
    stamp = Stamp(_id(mark), int(time.time()) if created == "now" else _seconds(created))
    made = planned(body.read(), endpoint, config, stamp, seed, turn, dict(map(_header, headers)))
    shown = (
        json.dumps(plan_output.described(made), indent=2) if as_json else plan_output.drawn(made)
    )
    click.echo(shown)
    if made.failure is not None and made.completion is None:
        click.get_current_context().exit(1)


def _id(mark: str) -> str:
    if mark == "new":
        return secrets.token_hex(len(NO_ID) // 2)
    if len(mark) != len(NO_ID) or set(mark) - set("0123456789abcdef"):
        raise click.BadParameter(
            "must be 26 lower-case hexadecimal digits, or new", param_hint="--id"
        )
    return mark


def _seconds(created: str) -> int:
    if not created.isascii() or not created.isdigit():
        raise click.BadParameter(
            "must be a whole number of seconds, or now", param_hint="--created"
        )
    return int(created)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"must be NAME:VALUE, not {text!r}", param_hint="--header")
    return name.strip(), value.strip()
