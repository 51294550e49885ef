"""``llmsim schema``."""

from __future__ import annotations

import json

import click

EXAMPLES = """\b
Examples:
  llmsim schema > llmsim.schema.json
  llmsim schema | jq .definitions.ServerSection
  llmsim schema > s.json && check-jsonschema --schemafile s.json llmsim.yaml
"""


@click.command(epilog=EXAMPLES)
def schema() -> None:
    """Print the JSON Schema of the configuration.

    It says what each key is for, its default and its unit. Editors complete and check a file
    that names it in its first line: "# yaml-language-server: $schema=llmsim.schema.json". What
    depends on several keys is only found by `llmsim check`.
    """
    # Imported late: pydantic takes longer than --help needs.
    from llmsim.config.json_schema import json_schema  # noqa: PLC0415

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
