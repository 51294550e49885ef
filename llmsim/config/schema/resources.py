"""The sections about what the server keeps for its clients: ``openai``, ``assistants`` and
``store``."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from llmsim.config.schema.section import Section
from llmsim.config.schema.server import Million
from llmsim.config.schema.values import Day, Text, Words
from llmsim.config.settings import (
    AssistantSettings,
    ObjectStoreSettings,
    OpenAISettings,
    Service,
)


def _service(value: Any) -> Any:
    # YAML 1.1 takes a bare on for true.
    return "on" if value is True else value


class OpenAISection(Section, of=OpenAISettings):
    """Which of OpenAI's APIs there are."""

    assistants: Annotated[
        Service,
        Words(get_args(Service)),
        BeforeValidator(_service),
        WithJsonSchema({"enum": [*get_args(Service), True]}),
    ] = Field(
        "on",
        description="`gone`: the paths of assistants and threads are unknown, as since their "
        "maker shut them down.",
    )


class AssistantsSection(Section, of=AssistantSettings):
    """How runs of assistants go."""

    tool_timeout_ms: Day = Field(
        600_000.0,
        description="Milliseconds that a run waits for the outputs of its tools before it expires.",
    )


class StoreSection(Section, of=ObjectStoreSettings):
    """Where assistants, threads, conversations and the like are kept."""

    path: Annotated[str, Text("a path")] | None = Field(
        None,
        description="The file of a database that outlives the server; one of its own that does "
        "not, unless set.",
    )
    max_threads: Million = Field(
        10_000, description="Threads that are kept; the oldest are forgotten."
    )
