"""The sections about the server itself: ``server``, ``response``, ``models``, ``control``,
``metrics`` and ``logging``."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema

from llmsim.config.schema.distribution import LengthSection
from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Each, Section, distinct, subsection
from llmsim.config.schema.tls import TLSSection
from llmsim.config.schema.values import (
    Address,
    HostPattern,
    Hour,
    Line,
    Name,
    Named,
    Number,
    Origin,
    Share,
    Switch,
    Text,
    Whole,
    Words,
    fault,
    unfit,
)
from llmsim.config.settings import (
    REFUSAL,
    Access,
    Control,
    JournalSettings,
    LogFormat,
    Logging,
    LogLevel,
    Metrics,
    Models,
    Response,
    Server,
    ThinkingSettings,
    Tools,
    UnknownModels,
    processors,
)
from llmsim.core.catalog.servers import ServerType
from llmsim.core.generator import GENERATORS, GeneratorChoice
from llmsim.core.scopes import ScopeSettings
from llmsim.core.spelling import did_you_mean

Million: TypeAlias = Annotated[int, Whole(1, 1_000_000)]
SHORTEST_HANG_MS: Final = 3000


class ServerSection(Section, of=Server):
    """Where to listen, how many processes there are, and their bounds."""

    host: Address = Field("0.0.0.0", description="IP address to listen on.")
    port: Annotated[int, Whole(0, 65_535)] = Field(
        8080, description="Port to listen on; 0 is a free one."
    )
    workers: Annotated[int, Whole(1, 512)] = Field(
        default_factory=processors,
        description="Number of worker processes. Default: one per processor.",
    )
    log_level: Annotated[LogLevel, Words(get_args(LogLevel))] = Field(
        "info", description="Lowest level that is logged."
    )
    max_body_bytes: Annotated[int, Whole(1024, 2**30)] = Field(
        32 * 2**20, description="Largest request body in bytes; larger ones get 413."
    )
    max_connections: Million = Field(16_384, description="Open connections per worker.")
    max_open_streams: Million = Field(20_000, description="Open streams per worker.")
    max_answer_bytes: Annotated[int, Whole(1024, 2**40)] = Field(
        128 * 2**20,
        description="Largest answer in bytes, estimated before it is made; more gets 400.",
    )
    drain_timeout_ms: Hour = Field(
        30_000.0, description="Milliseconds that open streams may take to end after SIGTERM."
    )
    stall_timeout_ms: Hour = Field(
        60_000.0,
        description="Milliseconds until a client that reads nothing is disconnected; 0: never.",
    )
    max_unsent_bytes: Annotated[int, Whole(2**16, 2**40)] = Field(
        64 * 2**20,
        description="Bytes sent to one connection that its client has not acknowledged, above "
        "which it is disconnected.",
    )
    body_timeout_ms: Hour = Field(
        120_000.0,
        description="Milliseconds until a request whose body has not arrived gets 408; 0: never.",
    )
    header_timeout_ms: Annotated[float, Number(100, 3_600_000, " of milliseconds")] = Field(
        30_000.0,
        description="Milliseconds until a connection on which no request has begun is closed.",
    )
    hang_timeout_ms: Hour = Field(
        30_000.0,
        description="Milliseconds without a sign of life until a worker is killed and replaced; "
        "at least 3000, or 0: never.",
    )
    max_header_bytes: Annotated[int, Whole(8192, 16 * 2**20)] = Field(
        8192 + 4096 * 100, description="Largest request head in bytes; larger ones get 431."
    )
    journal_mb: Annotated[int, Whole(1, 4096)] = Field(
        16, description="MiB per worker in which the latest requests and answers are kept."
    )
    allowed_hosts: Annotated[tuple[HostPattern, ...], Each(distinct, empty=True)] = Field(
        (),
        description="Names (shell patterns) by which /llmsim may be addressed, beside IP "
        "addresses and localhost.",
    )
    warm: Annotated[tuple[Line, ...], Each(distinct, empty=True)] | None = Field(
        None,
        description="The models for which everything is built before /ready is 200; those the "
        "configuration names, or else the catalogue's, unless set. `[]`: none.",
    )
    max_keys: Annotated[int, Whole(1000, 10_000_000)] = Field(
        1_000_000,
        description="How many callers' rate limits, and how many named counters, are exact.",
    )
    tls: TLSSection | None = Field(None, description="TLS; plain HTTP unless set.")
    compress: Switch = Field(
        False, description="Whether answers are compressed for clients that take it."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if 0 < self.hang_timeout_ms < SHORTEST_HANG_MS:
            # A sign of life comes once a second.
            yield Problem("hang_timeout_ms", f"must be 0 or at least {SHORTEST_HANG_MS}")


FIXED: Final = "fixed:"
BARE: Final = tuple(name for name in GENERATORS if name != "fixed")


def _generator(value: Any) -> str:
    text = str(value) if isinstance(value, str) else ""
    if text == FIXED:
        raise fault(f"{FIXED} needs a text after it")
    if text not in BARE and not text.startswith(FIXED):
        hint = did_you_mean(text, (*BARE, FIXED + "TEXT"))
        raise unfit(f"{', '.join(BARE)} or {FIXED}TEXT", hint)
    return text


Generator: TypeAlias = Annotated[
    str,
    BeforeValidator(_generator),
    WithJsonSchema(
        {"anyOf": [{"enum": list(BARE)}, {"type": "string", "pattern": rf"^{FIXED}[\s\S]+"}]}
    ),
]


def generator_choice(name: str) -> GeneratorChoice:
    """The generator of a name; that of ``sequence`` without its texts."""
    for kind in GENERATORS:
        if kind == name:
            return GeneratorChoice(kind)
    return GeneratorChoice("fixed", (name.removeprefix(FIXED),))


class ToolsSection(Section, of=Tools):
    """When tools are called."""

    call_rate: Share = Field(
        1.0, description="Probability of a tool call where the model may choose."
    )


class ResponseSection(Section, of=Response):
    """What answers contain, and how long they are."""

    generator: Generator = Field(
        "lorem",
        description="Where the text comes from: `lorem`, `random`, `echo` (the last user "
        "message), `sequence` (texts in turn) or `fixed:TEXT`.",
    )
    target_tokens: LengthSection = Field(
        default_factory=lambda: LengthSection.model_construct(mean=100),
        json_schema_extra={"default": 100},
        description="Length of an answer in tokens, unless the request allows less: a number or a "
        "distribution.",
    )
    sequence: Annotated[tuple[Line, ...], Each()] = Field(
        (), description="The texts of the generator `sequence`."
    )
    tools: ToolsSection = subsection(ToolsSection, "When tools are called.")
    refusal_rate: Share = Field(0.0, description="Probability of a refusal.")
    refusal: Line = Field(REFUSAL, description="The text of a refusal.")

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.generator == "sequence":
            if not self.sequence:
                message = "is missing: the generator sequence needs a list of texts"
                yield Problem("sequence", message)
        # A file's texts are dropped, not refused, where a flag or a variable has chosen another
        # generator.
        elif self.sequence and not (info.context or {}).get(GENERATOR_CHOSEN):
            kind = generator_choice(self.generator).kind
            message = f"only the generator sequence takes texts, not {kind}"
            yield Problem("sequence", message, ("generator",))

    def build(self) -> Response:
        choice = generator_choice(self.generator)
        turns = choice.kind == "sequence"
        return Response(
            GeneratorChoice("sequence", self.sequence) if turns else choice,
            self.target_tokens.build(),
            self.sequence if turns else (),
            self.tools.build(),
            self.refusal_rate,
            self.refusal,
        )

    @classmethod
    def write(cls, value: Response) -> Any:
        kind, texts = value.generator.kind, value.generator.texts
        return {**super().write(value), "generator": FIXED + texts[0] if kind == "fixed" else kind}


GENERATOR_CHOSEN: Final = "generator_chosen"
"""In the context of validation: the generator comes from elsewhere than the texts."""


class ThinkingSection(Section, of=ThinkingSettings):
    """How models think."""

    may_starve: Switch | None = Field(
        None,
        description="Whether reasoning may take all tokens that a request allows, so that the "
        "answer is empty. Default: as OpenAI's and Google's models do, and others do not.",
    )


class ModelsSection(Section, of=Models):
    """Which models are listed, and whether others are accepted."""

    available: Annotated[tuple[Line, ...], Each(distinct)] | None = Field(
        None, description="The models that listings show. Default: the catalogue."
    )
    unknown: Annotated[UnknownModels, Words(get_args(UnknownModels))] = Field(
        "accept", description="`reject`: requests to other models get 404."
    )
    servers: Annotated[
        dict[
            Annotated[str, Name("model pattern")],
            Annotated[ServerType, Words(get_args(ServerType))],
        ],
        Named("model pattern"),
    ] = Field(
        {},
        description="What serves some models: shell pattern of the name, and the server's type. "
        "The first that matches applies.",
    )


class ControlSection(Section, of=Control):
    """Who may watch and change the server while it runs."""

    enabled: Switch = Field(
        True, description="`false`: nothing is under /llmsim, neither control API nor dashboard."
    )
    headers: Switch = Field(
        True, description="Whether requests can override their own response, in x-llmsim-* headers."
    )
    token: Annotated[str, Text("a token")] | None = Field(
        None, description="Bearer token that llmsim's own endpoints require."
    )
    protect_metrics: Switch = Field(False, description="Whether /metrics requires the token, too.")
    cors: Annotated[tuple[Origin, ...], Each(distinct, empty=True)] = Field(
        (), description="Origins whose pages may use llmsim's own endpoints."
    )


class ScopesSection(Section, of=ScopeSettings):
    """Parts of the server that do not see each other, for tests that run at the same time."""

    max: Annotated[int, Whole(1, 100_000)] = Field(
        1000,
        description="How many are remembered; the one that was not used for longest is forgotten.",
    )
    by_key: Switch = Field(
        False,
        description="Whether an API key names a scope, where nothing else does.",
    )


class MetricsSection(Section, of=Metrics):
    """What /metrics has in addition to llmsim's own metrics."""

    vllm: Switch = Field(
        False, description="Whether /metrics also has the numbers under vLLM's names."
    )
    vllm_model: Line = Field("llmsim", description="The label `model_name` of these.")
    vllm_capacity: Million = Field(
        256, description="How many active requests count as running; those beyond count as waiting."
    )


class JournalSection(Section, of=JournalSettings):
    """What is remembered of requests beside what was asked."""

    details_per_second: Annotated[int, Whole(0, 1_000_000)] = Field(
        500,
        description="Requests a second and worker whose headers, answer, reasons and frame times "
        "are kept.",
    )
    frames: Switch = Field(
        False,
        description="Whether all this is kept of every stream, however many there are.",
    )


LINES: Final = ("off", "errors", "all")
SAMPLED: Final = "sampled:"


def _access(value: Any) -> str:
    # YAML 1.1 takes a bare off for false.
    text = "off" if value is False else str(value) if isinstance(value, str) else ""
    if text in LINES:
        return text
    share = -1.0
    sampled = text.startswith(SAMPLED)
    if sampled:
        try:
            share = float(text.removeprefix(SAMPLED))
        except ValueError:
            share = -1.0
    if 0 <= share <= 1:
        return text
    valid = f"{', '.join(LINES)} or {SAMPLED}SHARE with a share from 0 to 1 (sampled:0.01)"
    raise unfit(valid, "" if sampled else did_you_mean(text, (*LINES, SAMPLED + "SHARE")))


class LoggingSection(Section, of=Logging):
    """Format of the log, and which requests are in it."""

    format: Annotated[LogFormat, Words(get_args(LogFormat))] = Field(
        "console", description="`console`: lines for people; `json`: one JSON object per line."
    )
    access: Annotated[
        str,
        BeforeValidator(_access),
        WithJsonSchema(
            {
                "anyOf": [
                    {"enum": [*LINES, False]},
                    {"type": "string", "pattern": rf"^{SAMPLED}(0|1|0?\.\d+|[01]\.\d*)$"},
                ]
            }
        ),
    ] = Field(
        "off",
        description="Requests that are logged: `off`, `errors`, `sampled:SHARE` (and all errors) "
        "or `all`.",
    )
    prompts: Switch = Field(False, description="Whether these lines have the request's body.")

    def build(self) -> Logging:
        which, _, share = self.access.partition(":")
        access = Access("sampled", float(share)) if share else Access(which)  # type: ignore[arg-type]
        return Logging(self.format, access, self.prompts)

    @classmethod
    def write(cls, value: Logging) -> Any:
        access = value.access
        sampled = access.which == "sampled"
        text = f"{SAMPLED}{access.share!r}" if sampled else access.which
        return {**super().write(value), "access": text}
