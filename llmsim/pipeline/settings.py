"""What the pipeline goes by, of all that can be configured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from llmsim.core.api_keys import ApiKey
from llmsim.core.generator import GeneratorChoice
from llmsim.core.injection import ErrorInjection
from llmsim.core.mocks.mock import Mock, MockScript
from llmsim.core.rate_limits import Concurrency, RateLimit
from llmsim.core.timetable import TimetableEntry


class ResponseSettings(Protocol):
    """What answers say where nothing else decides."""

    @property
    def generator(self) -> GeneratorChoice: ...


class PipelineSettings(Protocol):
    """The part of a configuration that decides about requests. ``seed`` None draws a new seed for
    each of them."""

    @property
    def response(self) -> ResponseSettings: ...

    @property
    def errors(self) -> ErrorInjection: ...

    @property
    def timetable(self) -> Sequence[TimetableEntry]: ...

    @property
    def rate_limits(self) -> Sequence[RateLimit]: ...

    @property
    def concurrency(self) -> Concurrency: ...

    @property
    def keys(self) -> Sequence[ApiKey]: ...

    @property
    def mocks(self) -> Sequence[Mock]: ...

    @property
    def scripts(self) -> Sequence[MockScript]: ...

    @property
    def seed(self) -> int | None: ...
