"""The configuration: a YAML file, environment variables and flags, as one frozen value.

Flags count over variables, variables over the file, the file over the defaults. Only what is
given counts: an absent flag never changes what the file says. The flag ``--latency`` and its
variable replace the whole ``latency`` section, patterns included, so that every model gets that
profile.

All faults are reported at once, those of values that something else overrides included. This
package is the only reader of the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias, get_args

from llmsim.config import document, injection, latency, mock_files, sources, timetable
from llmsim.config.apikeys import KeyText
from llmsim.config.containers import Each, Maybe
from llmsim.config.control import Control
from llmsim.config.document import Faults, Node, Place, Table
from llmsim.config.kinds import OneOf, Whole
from llmsim.config.limits import Rules
from llmsim.config.logging import Access, Logging
from llmsim.config.metrics import Metrics
from llmsim.config.mocks import Mocks, Scripts
from llmsim.config.models import Models
from llmsim.config.record import Record
from llmsim.config.response import Response
from llmsim.config.server import Server
from llmsim.core.api_keys import ApiKey
from llmsim.core.errors import ConfigError
from llmsim.core.injection import ErrorInjection
from llmsim.core.latency import Latency
from llmsim.core.rate_limits import Concurrency, RateLimit
from llmsim.core.timetable import TimetableEntry

__all__ = [
    "Config",
    "Control",
    "Access",
    "Logging",
    "Metrics",
    "Models",
    "Response",
    "Server",
    "effective",
    "load",
]

assert injection, latency  # they describe the core's types
assert timetable

Validation: TypeAlias = Literal["lenient", "strict"]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be configured. ``seed`` None draws a new seed for each request.

    ``validation`` says whether requests are refused that are well formed but that the provider
    would not take: unknown models, parameters that exclude each other, schemas not strict enough.

    A section is one field here and one module that holds its type; the reader finds the keys
    in the types.
    """

    server: Server = field(default_factory=Server)
    latency: Latency = field(default_factory=Latency)
    response: Response = field(default_factory=Response)
    errors: ErrorInjection = field(default_factory=ErrorInjection)
    mocks: Mocks = ()
    mock_files: Annotated[tuple[str, ...], mock_files.Paths()] = ()
    scripts: Scripts = ()
    models: Models = field(default_factory=Models)
    control: Control = field(default_factory=Control)
    validation: Annotated[Validation, OneOf(get_args(Validation))] = "lenient"
    seed: Annotated[int | None, Maybe(Whole(0, 2**63 - 1))] = None
    metrics: Metrics = field(default_factory=Metrics)
    logging: Logging = field(default_factory=Logging)
    rate_limits: Annotated[tuple[RateLimit, ...], Rules()] = ()
    concurrency: Concurrency = field(default_factory=Concurrency)
    keys: Annotated[tuple[ApiKey, ...], Each(KeyText(), distinct=True)] = ()
    timetable: Annotated[tuple[TimetableEntry, ...], Each(Record(TimetableEntry))] = ()


def load(path: str | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """The configuration from a file, the environment and the flags of ``llmsim serve``.

    ``path`` None takes the file that LLMSIM_CONFIG names, if any. ``flags`` maps the name of a
    flag (``target_tokens``) to its value, None where it is absent. Raises ConfigError with every
    fault found, and KeyError for a name that is no flag.
    """
    faults = Faults()
    set_by_flag = sources.from_flags(flags)
    set_by_variable = sources.from_environment(environ, faults)
    named = set_by_variable.pop("config", None)
    source = path if path is not None else named.text if named else None
    root: Node = Table(Place("defaults"), {})
    with faults.caught():
        if source is not None:
            root = mock_files.included(document.read(source, faults), source, faults)
    root = sources.overlaid(sources.overlaid(root, set_by_variable), set_by_flag)
    with faults.caught():
        config = Record(Config).read(root, "")
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: (fault.line is None, fault.line or 0)))
    return config


def effective(config: Config) -> dict[str, object]:
    """The configuration as plain values; dumped as YAML, it loads to an equal Config."""
    return Record(Config).write(config)
