"""The ``rate_limits``, ``concurrency`` and ``keys`` sections: who and how much is let in."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from llmsim.config.schema.problems import Problem, Problems
from llmsim.config.schema.section import Section
from llmsim.config.schema.values import Count, Day, Line, Switch, Whole, unfit
from llmsim.core.api_keys import ApiKey
from llmsim.core.rate_limits import BURSTS, LIMITS, Concurrency, RateLimit

Places: TypeAlias = Annotated[int, Whole(1, 1_000_000)]


class RateLimitSection(Section, of=RateLimit):
    """What one caller may use. The first rule whose patterns match applies; each API key has its
    own limits under it."""

    key: Line = Field("*", description="Shell pattern of the API key, or of its name in `keys`.")
    model: Line = Field("*", description="Shell pattern of the model's name.")
    requests_per_minute: Count | None = Field(None, description="Requests per minute.")
    tokens_per_minute: Count | None = Field(
        None, description="Prompt and completion tokens per minute."
    )
    input_tokens_per_minute: Count | None = Field(
        None, description="Prompt tokens per minute that were not cached."
    )
    output_tokens_per_minute: Count | None = Field(
        None, description="Completion tokens per minute."
    )
    requests_per_day: Annotated[int, Whole(1, 10_000_000)] | None = Field(
        None, description="Requests per day."
    )
    concurrent_requests: Places | None = Field(None, description="Requests at the same time.")
    burst: Count | None = Field(
        None,
        description="Requests that may come at once after a pause. Default: those of a minute.",
    )
    tokens_burst: Count | None = Field(None, description="The same for `tokens_per_minute`.")
    input_tokens_burst: Count | None = Field(
        None, description="The same for `input_tokens_per_minute`."
    )
    output_tokens_burst: Count | None = Field(
        None, description="The same for `output_tokens_per_minute`."
    )
    per_model: Switch = Field(
        False, description="Whether each model the rule matches has limits of its own."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if all(getattr(self, name) is None for name in LIMITS):
            yield Problem(LIMITS[0], f"is missing: a rule sets one of {', '.join(LIMITS)}", LIMITS)
        for limit, burst in BURSTS.items():
            if getattr(self, burst) is not None and getattr(self, limit) is None:
                yield Problem(burst, f"is the burst of {limit}, which is not set", (limit,))


def different(rules: dict[int, RateLimitSection]) -> Problems:
    """No two rules for the same keys and models."""
    seen: dict[tuple[str, str], int] = {}
    for place, rule in rules.items():
        first = seen.setdefault((rule.key, rule.model), place)
        if first != place:
            message = (
                f"is for the same keys and models as rate_limits[{first}], which matches first"
            )
            yield Problem(place, message)


class ConcurrencySection(Section, of=Concurrency):
    """How many requests are answered at the same time, over all workers; others wait."""

    max_concurrency: Places | None = Field(
        None, description="Requests that are answered at the same time. Default: no limit."
    )
    queue_limit: Annotated[int, Whole(0, 1_000_000)] = Field(
        1000, description="How many requests may wait; beyond that they are refused."
    )
    queue_timeout_ms: Day = Field(
        60_000.0, description="Milliseconds that each may wait; then it is refused."
    )

    def problems(self, present: frozenset[str], info: ValidationInfo) -> Problems:
        if self.max_concurrency is None and self.build() != Concurrency():
            message = "is missing: without it nothing ever waits"
            yield Problem("max_concurrency", message, ("queue_limit", "queue_timeout_ms"))


class ApiKeySection(Section, of=ApiKey):
    """An API key that is accepted, by itself or with a name."""

    key: Line = Field(description="The API key.")
    name: Line = Field("", description="Name that is shown in place of the key.")

    @classmethod
    def long_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"key": value}
        if not isinstance(value, dict):
            valid = f"an API key, or {cls.valid()}"
            raise unfit(valid, quote=isinstance(value, bool | int | float))
        return value

    @classmethod
    def write(cls, value: ApiKey) -> Any:
        return {"key": value.key, "name": value.name} if value.name else value.key

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(core)]}
