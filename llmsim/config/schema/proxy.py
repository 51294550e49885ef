"""The ``proxy`` and ``record`` sections: services that requests are passed on to, and what of that
is kept."""

from __future__ import annotations

from typing import Annotated, TypeAlias, get_args

from pydantic import Field

from llmsim.config.schema.section import Each, Section, distinct
from llmsim.config.schema.values import Day, Line, Name, Named, Text, Whole, Words
from llmsim.config.settings import Anonymise, ProxySettings, RecordSettings
from llmsim.core.upstream.url import service_url

URL: TypeAlias = Annotated[str, Text("a URL", service_url)]


class ProxySection(Section, of=ProxySettings):
    """Services that requests are passed on to, where `on_miss` says so."""

    upstreams: Annotated[dict[Annotated[str, Name("provider")], URL], Named("provider")] = Field(
        {},
        description="The URL of each provider's service: `openai`, `anthropic`, `gemini`.",
    )
    allow: Annotated[tuple[Line, ...], Each(distinct, empty=True)] = Field(
        (),
        description="Hosts, addresses and networks that may be called though they are private.",
    )
    timeout_ms: Day = Field(
        600_000, description="Milliseconds for which a service may say nothing."
    )


class RecordSection(Section, of=RecordSettings):
    """What is kept of requests that are passed on."""

    path: Annotated[str, Text("a path")] | None = Field(
        None, description="The folder for recordings. Default: nothing is recorded."
    )
    anonymise: Annotated[Anonymise, Words(get_args(Anonymise))] = Field(
        "standard",
        description="What is replaced before anything is written; API keys in headers are never "
        "kept.",
    )
    max_bytes: Annotated[int, Whole(1, 2**50)] | None = Field(
        None, description="How large the folder may become: the oldest finished files go."
    )
