"""The JSON Schema of llmsim.yaml, by which editors complete and check.

It refuses nothing that llmsim takes, but for other spellings of words and numbers (``DEBUG``,
``0x10``); what depends on several keys is only said by ``llmsim check``.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from llmsim.config.schema.root import ConfigSection

DIALECT = "http://json-schema.org/draft-07/schema#"
"""Not the latest draft: editors know this one."""


class _Generator(GenerateJsonSchema):
    """Leaves out what says nothing: titles made of names, and defaults that are none."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        made.pop("title", None)
        # Written with line breaks in the source, which mean nothing.
        made["description"] = " ".join(made["description"].split())
        return made

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        default = schema.get("default")
        inner = self.generate_inner(schema["schema"])
        if not isinstance(default, str | int | float) or default == "":
            return inner
        whole = isinstance(default, float) and default.is_integer()
        return {**inner, "default": int(default) if whole else default}


def json_schema() -> dict[str, Any]:
    """The schema, whose ``$schema`` is :data:`DIALECT`."""
    made = ConfigSection.model_json_schema(
        ref_template="#/definitions/{model}", schema_generator=_Generator
    )
    definitions = made.pop("$defs")
    return {
        "$schema": DIALECT,
        "title": "llmsim.yaml",
        **made,
        "definitions": {name: definitions[name] for name in sorted(definitions)},
    }
