"""The whole of llmsim.yaml."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from llmsim.config import Config
from llmsim.config.schema.errors import ErrorInjectionSection, TimetableEntrySection
from llmsim.config.schema.latency import LatencySection
from llmsim.config.schema.limits import (
    ApiKeySection,
    ConcurrencySection,
    RateLimitSection,
    different,
)
from llmsim.config.schema.mocks import MockScriptSection, MockSection, named_apart
from llmsim.config.schema.section import Each, Section, distinct, subsection
from llmsim.config.schema.server import (
    ControlSection,
    LoggingSection,
    MetricsSection,
    ModelsSection,
    ResponseSection,
    ServerSection,
)
from llmsim.config.schema.values import Seed, Text, Words
from llmsim.config.settings import Validation


class ConfigSection(Section, of=Config):
    """The configuration of llmsim."""

    server: ServerSection = subsection(ServerSection)
    latency: LatencySection = subsection(LatencySection)
    response: ResponseSection = subsection(ResponseSection)
    errors: ErrorInjectionSection = subsection(ErrorInjectionSection)
    mocks: Annotated[tuple[MockSection, ...], Each(named_apart, empty=True)] = Field(
        (), description="What is answered to requests that match."
    )
    mock_files: Annotated[tuple[Annotated[str, Text("a path")], ...], Each(distinct)] = Field(
        (), description="Files with more mocks and scripts, relative to this one."
    )
    scripts: Annotated[tuple[MockScriptSection, ...], Each(named_apart, empty=True)] = Field(
        (), description="What is answered turn by turn to conversations that match."
    )
    models: ModelsSection = subsection(ModelsSection)
    control: ControlSection = subsection(ControlSection)
    validation: Annotated[Validation, Words(get_args(Validation))] = Field(
        "lenient", description="`strict`: refuse everything the provider refuses."
    )
    seed: Seed | None = Field(
        None, description="The same request gets the same answer, at the same pace."
    )
    metrics: MetricsSection = subsection(MetricsSection)
    logging: LoggingSection = subsection(LoggingSection)
    rate_limits: Annotated[tuple[RateLimitSection, ...], Each(different)] = Field(
        (), description="What each caller may do; the first rule that matches counts."
    )
    concurrency: ConcurrencySection = subsection(ConcurrencySection)
    keys: Annotated[tuple[ApiKeySection, ...], Each(distinct)] = Field(
        (), description="The API keys that are let in; everybody is, unless set."
    )
    timetable: Annotated[tuple[TimetableEntrySection, ...], Each()] = Field(
        (), description="What goes wrong at which time; the first entry that matches counts."
    )
