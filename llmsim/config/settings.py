"""The settings of the server itself, one class a section."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from llmsim.core.catalog.distribution import Distribution
from llmsim.core.catalog.servers import ServerType
from llmsim.core.generator import GeneratorChoice
from llmsim.core.patterns import matches

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
LogFormat: TypeAlias = Literal["console", "json"]
AccessLines: TypeAlias = Literal["off", "errors", "sampled", "all"]
UnknownModels: TypeAlias = Literal["accept", "reject"]
Validation: TypeAlias = Literal["lenient", "strict"]
LimitHeadersOf: TypeAlias = Literal["hosted", "configured"]
Service: TypeAlias = Literal["on", "gone"]
Anonymise: TypeAlias = Literal["off", "credentials", "standard", "strict"]
TLSVersion: TypeAlias = Literal["1.2", "1.3"]

LOREM: Final = GeneratorChoice("lorem")
REFUSAL: Final = "I'm sorry, but I can't assist with that request."


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class TLS:
    """The files of a server that speaks TLS, in PEM: its certificate, followed by those between it
    and its root, and the private key, not encrypted. ``client_ca`` holds the roots of the
    certificates that clients must have; None asks clients for none.

    ``self_signed`` is where a certificate is made and kept that takes the place of such files:
    a folder, or "" for the server's own, which goes with it. None takes ``cert`` and ``key``.
    """

    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None
    min_version: TLSVersion = "1.2"
    self_signed: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """Where to listen, with how many processes, and what bounds them. Connections, open streams
    and the journal are bounded for each worker on its own.

    ``drain_timeout`` is how many seconds open streams may take to end after SIGTERM,
    ``stall_timeout`` for how many a client may read nothing of what waits for it; 0 is for ever.
    ``max_unsent_bytes`` bounds what waits for one client. ``body_timeout`` is how many seconds the
    body of a request may take to arrive, or 0 for ever, and ``header_timeout`` its head.
    ``hang_timeout`` is after how many seconds of silence a worker is replaced; 0 is never.
    ``max_keys`` is how many callers of rate limits, and how many named counters, are told apart.
    ``journal_mb`` is how many MiB of the latest requests and answers a worker remembers.
    ``allowed_hosts`` are patterns of the names by which llmsim's own endpoints may be addressed,
    next to localhost and IP addresses. ``warm`` names the models for which everything is built
    before the server counts as ready; None are those the configuration names, or the catalogue's.
    ``tls`` None speaks plain HTTP. ``compress`` compresses answers for clients that take it.
    """

    host: str = "0.0.0.0"
    port: int = 8080
    workers: int = field(default_factory=processors)
    log_level: LogLevel = "info"
    max_body_bytes: int = 32 * 2**20
    max_connections: int = 16_384
    max_open_streams: int = 20_000
    drain_timeout: float = 30.0
    stall_timeout: float = 60.0
    hang_timeout: float = 30.0
    max_header_bytes: int = 8192 + 4096 * 100
    journal_mb: int = 16
    allowed_hosts: tuple[str, ...] = ()
    warm: tuple[str, ...] | None = None
    max_answer_bytes: int = 128 * 2**20
    max_keys: int = 1_000_000
    max_unsent_bytes: int = 64 * 2**20
    body_timeout: float = 120.0
    header_timeout: float = 30.0
    tls: TLS | None = None
    compress: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """``call_rate`` is the probability of a tool call where the model may choose."""

    call_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Response:
    """What answers say, and how long they are. ``target_tokens`` is the length of an answer that
    nothing else bounds, or how that is distributed.

    ``sequence`` holds the texts of the generator of that name, and is empty for the others.
    ``refusal_rate`` is the probability of ``refusal`` in place of an answer.
    """

    generator: GeneratorChoice = LOREM
    target_tokens: int | Distribution = 100
    sequence: tuple[str, ...] = ()
    tools: Tools = field(default_factory=Tools)
    refusal_rate: float = 0.0
    refusal: str = REFUSAL


@dataclass(frozen=True, slots=True)
class ThinkingSettings:
    """``may_starve`` says whether reasoning may take all tokens of an answer; None is as the
    model's does."""

    may_starve: bool | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """``available`` names the models on offer; None offers the whole catalogue.

    A model that is not on offer is served with default tokenizer and latency (``accept``) or
    not found (``reject``). ``servers`` are shell patterns of names and what serves such models.
    """

    available: tuple[str, ...] | None = None
    unknown: UnknownModels = "accept"
    servers: tuple[tuple[str, ServerType], ...] = ()

    def server(self, name: str) -> ServerType | None:
        """What serves a model, by the first pattern that matches; None for its provider's own
        service."""
        return next((kind for pattern, kind in self.servers if matches(pattern, name)), None)


@dataclass(frozen=True, slots=True)
class Control:
    """Who may steer the server while it runs, and how. ``headers`` lets requests override their
    response: in ``x-llmsim-*`` headers, or after their model's name. ``enabled`` False leaves
    nothing of what is under ``/llmsim``.

    ``token`` is what requests to llmsim's own endpoints have to carry; None lets everyone in.
    ``protect_metrics`` asks for it at ``/metrics``, too. ``cors`` are the origins whose pages may
    use them.
    """

    enabled: bool = True
    headers: bool = True
    token: str | None = None
    protect_metrics: bool = False
    cors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """What ``/metrics`` has beyond llmsim's own metrics. ``vllm`` gives the same numbers under
    vLLM's names, too.

    A vLLM server has one model: all models together are reported as ``vllm_model``.
    ``vllm_capacity`` is how many requests at once fill its cache; what is beyond waits, as far as
    these metrics say.
    """

    vllm: bool = False
    vllm_model: str = "llmsim"
    vllm_capacity: int = 256


@dataclass(frozen=True, slots=True)
class Access:
    """Which requests get a line: none, those with an error, a ``share`` of all, all.

    Of those with an error ``sampled`` leaves none out.
    """

    which: AccessLines = "off"
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Logging:
    """Which lines are written, and how. ``prompts`` puts what was asked into the access log; it
    is in no line otherwise."""

    format: LogFormat = "console"
    access: Access = Access()
    prompts: bool = False


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Of how many requests a second each worker keeps the details: headers, answer, reasons, and
    the times of frames. ``frames`` keeps those of every stream."""

    details_per_second: int = 500
    frames: bool = False


@dataclass(frozen=True, slots=True)
class OTLPSettings:
    """The collector that gets a span of requests: a ``sample`` of them, 0 to 1, in the name of a
    service. ``url`` None is none."""

    url: str | None = None
    sample: float = 1.0
    service_name: str = "llmsim"


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """What is told to other services of each request."""

    otlp: OTLPSettings = OTLPSettings()


@dataclass(frozen=True, slots=True)
class ObjectStoreSettings:
    """Where what clients store is kept. ``path`` None is a file of the server's own, which goes
    with it. Of more threads than ``max_threads`` the oldest are forgotten."""

    path: str | None = None
    max_threads: int = 10_000


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The services that requests can be passed on to: a provider's name and its URL each.

    ``allow`` names hosts, addresses and networks that may be called though they are private.
    ``timeout`` is for how many seconds a service may say nothing.
    """

    upstreams: tuple[tuple[str, str], ...] = ()
    allow: tuple[str, ...] = ()
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Where exchanges with services are kept: a folder, None for nowhere.

    ``anonymise`` says what of them is replaced before they are written, ``max_bytes`` how large
    the folder may become; None is no bound.
    """

    path: str | None = None
    anonymise: Anonymise = "standard"
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """Which of OpenAI's APIs there are: those that their maker has shut down can be ``gone``."""

    assistants: Service = "on"


@dataclass(frozen=True, slots=True)
class AssistantSettings:
    """``tool_timeout`` is how many seconds a run waits for the outputs of its tools."""

    tool_timeout: float = 600.0
