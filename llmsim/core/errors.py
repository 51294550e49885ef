"""Every way a call can fail, as data.

A failure the simulated provider answers with is a :class:`Failure`: each provider has its status
and error type for every :class:`FailureKind` in one table. An exception is for a caller's mistake
only: :class:`BadRequest` is raised while a request is decoded and caught in one place,
:class:`ConfigError` while a configuration is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FailureKind(Enum):
    """What went wrong, whichever provider is simulated."""

    INVALID = "invalid"  # the request is malformed or asks for the impossible
    CONTENT_FILTER = "content_filter"  # the prompt is against the provider's policy
    CONTEXT_LENGTH = "context_length"  # prompt and requested output exceed the context window
    AUTHENTICATION = "authentication"
    BILLING = "billing"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"  # a stored object that is not there
    MODEL_NOT_FOUND = "model_not_found"
    UNKNOWN_PATH = "unknown_path"
    METHOD = "method"  # the path exists, the method does not
    TIMEOUT_CLIENT = "timeout_client"  # 408
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"  # the body exceeds the configured size
    UNPROCESSABLE = "unprocessable"
    RATE_LIMIT = "rate_limit"  # requests
    TOKEN_LIMIT = "token_limit"  # tokens
    QUOTA = "quota"
    SERVER_ERROR = "server_error"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"  # 504
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True)
class TooLong:
    """What does not fit into a model's context window; all in tokens.

    ``wanted`` is the output that was asked for, 0 if no more than what the window leaves.
    """

    window: int
    prompt: int
    wanted: int


class Measure(Enum):
    """What a limit bounds, by its key in the configuration."""

    REQUESTS = "requests_per_minute"
    DAILY = "requests_per_day"
    TOKENS = "tokens_per_minute"
    INPUT = "input_tokens_per_minute"
    OUTPUT = "output_tokens_per_minute"
    CONCURRENT = "concurrent_requests"

    # Members are alone of their kind; Enum's own hash is Python, and this is asked for at every
    # request with limits.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The limit that a request to ``model`` was refused by, what of it was used and what was
    asked for. ``wait`` is the seconds until that is available; None if it never is, or if nobody
    knows when."""

    measure: Measure
    limit: int
    used: int
    requested: int
    model: str
    wait: float | None


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request, before a codec encodes it.

    ``message`` is for the client; an empty one leaves it to the provider's usual message.
    ``param`` names the offending field as a path (``messages[0].content``), ``code`` is a more
    precise machine-readable reason where the provider has one (``invalid_type``); either may be
    None. ``retry_after`` is in seconds. ``status`` overrides the status the provider has for
    ``kind``. ``too_long``, ``model`` (the name of one that is not served) and ``exceeded`` are for
    providers with a message of their own for such a failure. ``injected`` says that it was made on
    purpose, and ``after`` how many seconds after the request it is answered.
    """

    kind: FailureKind
    message: str
    param: str | None = None
    code: str | None = None
    retry_after: float | None = None
    status: int | None = None
    too_long: TooLong | None = None
    model: str | None = None
    injected: bool = False
    after: float = 0.0
    exceeded: Exceeded | None = None


class BadRequest(Exception):  # noqa: N818  named for what it says
    """The client's request cannot be served; carries the failure to answer with."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def invalid(message: str, param: str | None = None, code: str | None = None) -> BadRequest:
    """The exception for a request that is malformed at ``param``."""
    return BadRequest(Failure(FailureKind.INVALID, message, param, code))


NESTED = Failure(FailureKind.INVALID, "The request body is nested too deeply.")
"""For a body that takes more levels of recursion than there are."""


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One mistake in a configuration.

    ``where`` names its source ("llmsim.yaml", "--workers", "LLMSIM_WORKERS"), ``line`` counts
    from 1 (None outside files), ``key`` is the dotted key.
    """

    where: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.where}:{self.line}" if self.line is not None else self.where
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(Exception):
    """The configuration has one or more faults; the server must not start."""

    def __init__(self, faults: list[ConfigFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)
