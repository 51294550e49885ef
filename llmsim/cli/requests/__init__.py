"""``llmsim requests``: what a running server was asked, and what came of it.

``lines`` has a line for each request, ``export`` what other tools read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import click

from llmsim.cli import server_options
from llmsim.cli.remote import Remote
from llmsim.cli.requests import lines

PAGE: Final = 1000
PERIOD: Final = 0.5
"""Seconds between two looks."""
OVERLAP: Final = 5.0
"""Seconds that each look goes back behind the oldest request that was open: requests are shown when
they have ended."""

EXAMPLES = """\b
Examples:
  llmsim requests
  llmsim requests --follow --status error
  llmsim requests --model 'gpt-4*' --since 5m --limit 100
  llmsim requests --contains 'weather in Paris' --json
  llmsim requests --id req_0115e9… --curl
  llmsim requests --since 1h --limit 5000 --har > requests.har
"""

FILTERS: Final = {
    "endpoint": "Shell pattern of the endpoint's name.",
    "model": "Shell pattern of the model's name.",
    "status": "429, 4xx, error, open, or several with commas.",
    "kind": "Kind of failure: rate_limit, overloaded, …",
    "api_key": "Shell pattern of the API key's name, or of the key as it is shown.",
    "mock": "Shell pattern of the mock's name.",
    "contains": "Text in the request or its answer.",
    "id": "llmsim's id, or one that the client sent.",
    "since": "Unix time, or how long ago: 90s, 5m, 2h.",
}
PARAMETERS: Final = {"api_key": "key"}


def _filters(command: Any) -> Any:
    for name, text in reversed(FILTERS.items()):
        flag = f"--{name.replace('_', '-')}"
        command = click.option(flag, name, metavar="TEXT", help=text)(command)
    return command


@click.command(epilog=EXAMPLES)
@_filters
@click.option("--stream/--plain", default=None, help="Only streams, or only plain answers.")
@click.option("--limit", type=click.IntRange(1), default=20, help="How many, 20 unless set.")
@click.option("-f", "--follow", is_flag=True, help="Go on with those that end from now on.")
@click.option("--har", "form", flag_value="har", help="Print an HTTP archive (HAR 1.2).")
@click.option("--curl", "form", flag_value="curl", help="Print a curl command for each.")
@click.option("--json", "form", flag_value="json", help="Print whole requests as JSON, one a line.")
@server_options.options
def requests(
    stream: bool | None,
    limit: int,
    follow: bool,
    form: str | None,
    url: str,
    token: str | None,
    ca: str | None,
    insecure: bool,
    cert: str | None,
    key: str | None,
    **filters: str | None,
) -> None:
    """Print what a running server was asked, and what came of it.

    The newest requests come last. `docs/journal.md` has the meaning of the filters.
    """
    server = server_options.remote(url, token, ca, insecure, cert, key)
    if follow and form == "har":
        raise click.UsageError("--har has an end: it excludes --follow")
    # Imported late: it takes longer than all other commands need.
    from llmsim.cli.requests import export  # noqa: PLC0415

    journal = RemoteJournal(server, _query(filters, stream), form is not None)
    found = list(reversed(list(journal.newest(limit))))
    if form == "har":
        click.echo(export.archive(found))
        return
    write: Callable[[dict[str, Any]], str] = lines.line
    if form == "json":
        write = json.dumps
    elif form == "curl":
        write = partial(export.curl, url=server.url)
    if form is None and (found or follow):
        click.echo(lines.HEAD)
    for one in found:
        click.echo(write(one))
    if follow:
        try:
            for one in journal.ending(found):
                click.echo(write(one))
        except KeyboardInterrupt:
            pass


class RemoteJournal:
    """The requests that a query is about. ``contents`` wants them whole."""

    def __init__(self, remote: Remote, query: Mapping[str, str], contents: bool) -> None:
        self._remote = remote
        self._query = dict(query) | ({"contents": "true"} if contents else {})

    def newest(self, limit: int) -> Iterator[dict[str, Any]]:
        """As many as that, newest first."""
        cursor: str | None = ""
        while limit > 0 and cursor is not None:
            size = min(limit, PAGE)
            page = self._page({"limit": str(size), **({"cursor": cursor} if cursor else {})})
            yield from page["requests"]
            limit -= len(page["requests"])
            cursor = page["next_cursor"]

    def ending(self, known: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Those that end from now on, for ever; without those that are ``known`` to have ended."""
        since = known[-1]["arrived"] if known else time.time()
        seen = {one["id"] for one in known if one["status"] is not None}
        while True:
            latest = []
            oldest = since
            cursor: str | None = ""
            while cursor is not None:
                query = {"limit": str(PAGE), "since": f"{max(since - OVERLAP, 0):.6f}"}
                page = self._page(query | ({"cursor": cursor} if cursor else {}))
                latest += page["requests"]
                cursor = page["next_cursor"]
            for one in sorted(latest, key=lambda one: one["arrived"]):
                if one["status"] is not None and one["id"] not in seen:
                    yield one
            seen = {one["id"] for one in latest if one["status"] is not None}
            open_ones = [one["arrived"] for one in latest if one["status"] is None]
            newest = max([one["arrived"] for one in latest], default=oldest)
            since = min([*open_ones, newest])
            time.sleep(PERIOD)

    def _page(self, query: Mapping[str, str]) -> dict[str, Any]:
        page: dict[str, Any] = self._remote.request(
            "GET", f"requests?{urlencode({**self._query, **query})}"
        )
        return page


def _query(filters: Mapping[str, str | None], stream: bool | None) -> dict[str, str]:
    query = {PARAMETERS.get(name, name): text for name, text in filters.items() if text is not None}
    return query if stream is None else query | {"stream": str(stream).lower()}
