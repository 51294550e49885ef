"""The ``proxy``, ``record`` and ``telemetry`` sections: services that requests are passed on to,
what of that is kept, and services that are told of requests."""

from __future__ import annotations

from typing import Annotated, TypeAlias, get_args

from pydantic import Field

from llmsim.config.schema.section import Each, Section, distinct, subsection
from llmsim.config.schema.values import Day, Line, Name, Named, Share, Text, Whole, Words
from llmsim.config.settings import (
    Anonymise,
    OTLPSettings,
    ProxySettings,
    RecordSettings,
    TelemetrySettings,
)
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


class OTLPSection(Section, of=OTLPSettings):
    """A collector of OpenTelemetry, which gets a span of each request."""

    url: URL | None = Field(
        None,
        description="Where it takes OTLP over HTTP; a URL without a path is completed by "
        "`/v1/traces`. Default: no spans are made.",
    )
    sample: Share = Field(1.0, description="Share of requests of which a span is made.")
    service_name: Line = Field("llmsim", description="The `service.name` of the spans.")


class TelemetrySection(Section, of=TelemetrySettings):
    """What other services are told of each request."""

    otlp: OTLPSection = subsection(OTLPSection)
