"""The ``on_miss`` section: what becomes of requests that neither a mock nor a recording answers."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, get_args

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from llmsim.config.schema.section import Section
from llmsim.config.schema.values import Name, Named, Words
from llmsim.core.mocks.on_miss import OnMiss, OnMissRules

Outcome: TypeAlias = Annotated[OnMiss, Words(get_args(OnMiss))]


class OnMissSection(Section, of=OnMissRules):
    """What requests get that neither a mock nor a recording answers; a word by itself is the
    default."""

    default: Outcome = Field(
        "simulate",
        description="`simulate`: an answer made here; `fail`: 404, which says which recording is "
        "nearest; `proxy`: the answer of its provider's service, of the section `proxy`.",
    )
    models: Annotated[
        dict[Annotated[str, Name("model pattern")], Outcome], Named("model pattern")
    ] = Field(
        {},
        description="The same for some models: shell pattern of the name, and what their requests "
        "get. The first that matches applies.",
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        return {"default": value} if isinstance(value, str) else super().long_form(value)

    @classmethod
    def write(cls, value: Any) -> Any:
        return super().write(value) if value.models else value.default

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(get_args(OnMiss))}, handler(core)]}
