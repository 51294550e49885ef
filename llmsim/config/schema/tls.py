"""The section ``server.tls``."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, ValidationInfo, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section
from llmsim.config.schema.values import Text, Words, fault, text, unfit
from llmsim.config.settings import TLS, TLSVersion
from llmsim.core.spelling import did_you_mean

SELF_SIGNED: Final = "self-signed"
OWN_FOLDER: Final = ""
"""Stands for the server's own folder."""

FilePath: TypeAlias = Annotated[str, Text("a path")]


def _version(value: Any) -> Any:
    # YAML takes a bare 1.2 for a number.
    return str(value) if isinstance(value, float) else value


def _folder(value: Any) -> str | None:
    if isinstance(value, bool):
        return OWN_FOLDER if value else None
    return text(value, "true or a path")


class TLSSection(Section, of=TLS):
    """TLS, with certificates from files or a self-signed one: `self-signed`,
    `self-signed:FOLDER`."""

    cert: FilePath | None = Field(
        None, description="File with the certificate and those between it and its root, in PEM."
    )
    key: FilePath | None = Field(
        None, description="File with its private key, in PEM and not encrypted."
    )
    client_ca: FilePath | None = Field(
        None,
        description="File with the roots of clients' certificates: clients must have one. "
        "Default: clients need no certificate.",
    )
    min_version: Annotated[
        TLSVersion,
        Words(get_args(TLSVersion)),
        BeforeValidator(_version),
        WithJsonSchema({"enum": [*get_args(TLSVersion), *map(float, get_args(TLSVersion))]}),
    ] = Field("1.2", description="Lowest version of TLS that is spoken.")
    self_signed: Annotated[
        str | None,
        BeforeValidator(_folder),
        WithJsonSchema({"type": ["boolean", "string"], "minLength": 1}),
    ] = Field(
        None,
        description="`true`, or a folder: make a certificate authority, kept there, and a "
        "certificate of it for this machine.",
    )

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return super().long_form(value)
        name, colon, folder = value.partition(":")
        if name != SELF_SIGNED:
            hint = did_you_mean(name, (SELF_SIGNED,))
            raise unfit(f"{SELF_SIGNED}, {SELF_SIGNED}:FOLDER or {cls.valid()}", hint)
        if colon and not folder:
            raise fault(f"{SELF_SIGNED}: needs a folder after it")
        return {"self_signed": folder or True}

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        files = ("cert", "key")
        if self.self_signed is not None:
            for name in files:
                if getattr(self, name) is not None:
                    message = "is not used: self_signed makes a certificate and its key"
                    yield Problem(name, message, ("self_signed",))
            return
        for name in files:
            if getattr(self, name) is None:
                message = "is missing: TLS needs cert and key, or self_signed"
                yield Problem(name, message, ("self_signed",))

    @classmethod
    def write(cls, value: TLS) -> Any:
        written = super().write(value)
        if value.self_signed == OWN_FOLDER:
            written["self_signed"] = True
        return written

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        short = {"type": "string", "pattern": rf"^{SELF_SIGNED}(:.+)?$"}
        return {"anyOf": [short, handler(core)]}
