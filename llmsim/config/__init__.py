"""The configuration: a YAML file, environment variables and flags, as one frozen value.

Flags take precedence over variables, variables over the file, the file over the defaults. An
absent flag changes nothing. The flag ``--latency`` and its variable replace the whole ``latency``
section, ``models`` included, so that every model gets that profile.

All mistakes are reported at once, those in values that something else overrides included. This
package is the only reader of the environment.

``settings`` and the core have the types that a configuration is made of, ``schema`` the keys of
the file as pydantic models. ``nodes`` is what was written, with the place of each value;
``document`` reads YAML into it, ``sources`` lays flags and variables over it, ``mock_files`` puts
further files into it. ``reader`` makes values of it and ``loader`` a configuration, ``change``
one of another while the server runs, ``overrides`` those of a single request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmsim.config.settings import (
    Access,
    AssistantSettings,
    Control,
    JournalSettings,
    LimitHeadersOf,
    Logging,
    Metrics,
    Models,
    ObjectStoreSettings,
    OpenAISettings,
    ProxySettings,
    RecordSettings,
    Response,
    Server,
    TelemetrySettings,
    ThinkingSettings,
    Validation,
)
from llmsim.core.api_keys import ApiKey
from llmsim.core.injection import ErrorInjection
from llmsim.core.latency import Latency
from llmsim.core.mocks.mock import Mock, MockScript
from llmsim.core.mocks.on_miss import OnMissRules
from llmsim.core.mocks.replay import ReplaySettings
from llmsim.core.overrides import ScenarioName
from llmsim.core.rate_limits import Concurrency, RateLimit
from llmsim.core.scopes import ScopeSettings
from llmsim.core.timetable import TimetableEntry

__all__ = [
    "Access",
    "Config",
    "Control",
    "JournalSettings",
    "Logging",
    "Metrics",
    "Models",
    "Response",
    "Server",
    "effective",
    "files",
    "load",
]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be configured. ``seed`` None draws a new seed for each request.

    ``rate_limit_headers`` "hosted" gives answers the headers of a hosted service's generous tier,
    as long as there are no ``rate_limits``. ``validation`` says whether requests are refused that
    are well formed but that the provider would not take: unknown models, parameters that exclude
    each other, schemas not strict enough.
    """

    server: Server = field(default_factory=Server)
    latency: Latency = field(default_factory=Latency)
    response: Response = field(default_factory=Response)
    errors: ErrorInjection = field(default_factory=ErrorInjection)
    thinking: ThinkingSettings = field(default_factory=ThinkingSettings)
    mocks: tuple[Mock, ...] = ()
    mock_files: tuple[str, ...] = ()
    scripts: tuple[MockScript, ...] = ()
    models: Models = field(default_factory=Models)
    control: Control = field(default_factory=Control)
    rate_limit_headers: LimitHeadersOf = "hosted"
    validation: Validation = "lenient"
    seed: int | None = None
    metrics: Metrics = field(default_factory=Metrics)
    logging: Logging = field(default_factory=Logging)
    rate_limits: tuple[RateLimit, ...] = ()
    concurrency: Concurrency = field(default_factory=Concurrency)
    keys: tuple[ApiKey, ...] = ()
    timetable: tuple[TimetableEntry, ...] = ()
    openai: OpenAISettings = field(default_factory=OpenAISettings)
    assistants: AssistantSettings = field(default_factory=AssistantSettings)
    store: ObjectStoreSettings = field(default_factory=ObjectStoreSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    scopes: ScopeSettings = field(default_factory=ScopeSettings)
    replay: ReplaySettings = field(default_factory=ReplaySettings)
    scenario: ScenarioName | None = None
    on_miss: OnMissRules = field(default_factory=OnMissRules)
    proxy: ProxySettings = field(default_factory=ProxySettings)
    record: RecordSettings = field(default_factory=RecordSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)


# What follows is imported late: pydantic takes longer than all that --help needs.


def load(
    path: str | None,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    reloading: bool = False,
) -> Config:
    """The configuration from a file, the environment and the flags of ``llmsim serve``.

    ``path`` None takes the file that LLMSIM_CONFIG names, if any. ``flags`` maps the name of a
    flag (``target_tokens``) to its value, None where it is absent. ``reloading`` makes an empty
    file a fault: a server that runs would go back to all defaults. Raises ConfigError with every
    fault found, and KeyError for a name that is no flag.
    """
    from llmsim.config import collection, loader  # noqa: PLC0415

    with collection.paused():
        return loader.load(path, environ, flags, reloading)


def effective(config: Config) -> dict[str, object]:
    """The configuration as plain values; dumped as YAML, it loads to an equal Config."""
    from llmsim.config import collection, reader  # noqa: PLC0415

    with collection.paused():
        return reader.written(config)


def files(path: str | None, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files a configuration is read from, the one ``path`` or LLMSIM_CONFIG names first; none
    where neither does."""
    from llmsim.config import mock_files  # noqa: PLC0415

    source = path if path is not None else environ.get("LLMSIM_CONFIG")
    return (Path(source), *mock_files.named(source)) if source else ()
