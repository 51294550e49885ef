"""The whole of llmsim.yaml."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field, ValidationInfo

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
from llmsim.config.schema.on_miss import OnMissSection
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.proxy import ProxySection, RecordSection, TelemetrySection
from llmsim.config.schema.replay import ReplaySection
from llmsim.config.schema.resources import AssistantsSection, OpenAISection, StoreSection
from llmsim.config.schema.section import Each, Section, distinct, subsection
from llmsim.config.schema.server import (
    ControlSection,
    JournalSection,
    LoggingSection,
    MetricsSection,
    ModelsSection,
    ResponseSection,
    ScopesSection,
    ServerSection,
    ThinkingSection,
)
from llmsim.config.schema.values import ScenarioWord, Seed, Text, Words
from llmsim.config.settings import LimitHeadersOf, Validation
from llmsim.core.mocks.mock import recordings_named


class ConfigSection(Section, of=Config):
    """The configuration of llmsim."""

    server: ServerSection = subsection(ServerSection)
    latency: LatencySection = subsection(LatencySection)
    response: ResponseSection = subsection(ResponseSection)
    errors: ErrorInjectionSection = subsection(ErrorInjectionSection)
    thinking: ThinkingSection = subsection(ThinkingSection)
    mocks: Annotated[tuple[MockSection, ...], Each(named_apart, empty=True)] = Field(
        (), description="Answers to requests that match."
    )
    mock_files: Annotated[tuple[Annotated[str, Text("a path")], ...], Each(distinct)] = Field(
        (), description="Files with more mocks and scripts, relative to this one."
    )
    scripts: Annotated[tuple[MockScriptSection, ...], Each(named_apart, empty=True)] = Field(
        (), description="Answers to conversations that match, turn by turn."
    )
    models: ModelsSection = subsection(ModelsSection)
    control: ControlSection = subsection(ControlSection)
    rate_limit_headers: Annotated[LimitHeadersOf, Words(get_args(LimitHeadersOf))] = Field(
        "hosted",
        description="Rate-limit headers of answers while there are no rate_limits: `hosted`, those "
        "of a generous tier, or `configured`, none.",
    )
    validation: Annotated[Validation, Words(get_args(Validation))] = Field(
        "lenient", description="`strict`: refuse everything the provider refuses."
    )
    seed: Seed | None = Field(
        None,
        description="Makes answers reproducible: the same request, the same answer and pace.",
    )
    metrics: MetricsSection = subsection(MetricsSection)
    logging: LoggingSection = subsection(LoggingSection)
    rate_limits: Annotated[tuple[RateLimitSection, ...], Each(different)] = Field(
        (), description="What each caller may use. The first rule that matches applies."
    )
    concurrency: ConcurrencySection = subsection(ConcurrencySection)
    keys: Annotated[tuple[ApiKeySection, ...], Each(distinct)] = Field(
        (), description="The API keys that are accepted. Default: all, and none is needed."
    )
    timetable: Annotated[tuple[TimetableEntrySection, ...], Each()] = Field(
        (), description="Failures and slowness at set times. The first entry that matches applies."
    )
    openai: OpenAISection = subsection(OpenAISection)
    assistants: AssistantsSection = subsection(AssistantsSection)
    store: StoreSection = subsection(StoreSection)
    journal: JournalSection = subsection(JournalSection)
    scopes: ScopesSection = subsection(ScopesSection)
    replay: ReplaySection = subsection(ReplaySection)
    scenario: ScenarioWord | None = Field(
        None, description="The starter scenario that all requests meet which ask for no other."
    )
    on_miss: OnMissSection = subsection(OnMissSection)
    proxy: ProxySection = subsection(ProxySection)
    record: RecordSection = subsection(RecordSection)
    telemetry: TelemetrySection = subsection(TelemetrySection)

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        on_miss = self.on_miss
        if "proxy" in (on_miss.default, *on_miss.models.values()) and not self.proxy.upstreams:
            yield Problem("on_miss", "there is no service to ask: set proxy.upstreams", ("proxy",))
        if self.replay.path is not None:
            return
        for name in ("mocks", "scripts"):
            rules: tuple[MockSection | MockScriptSection, ...] = getattr(self, name)
            if recordings_named(rule.build() for rule in rules):
                message = "one of them answers with a recording: set replay.path"
                yield Problem(name, message, ("replay",))
