"""The ``replay`` section: recorded answers in the place of made ones."""

from __future__ import annotations

from typing import Annotated, TypeAlias, get_args

from pydantic import Field

from llmsim.config.schema.section import Each, Section, distinct
from llmsim.config.schema.values import Line, Number, Text, Words
from llmsim.core.mocks.replay import Ids, ReplaySettings

Fields: TypeAlias = Annotated[tuple[Line, ...], Each(distinct, empty=True)]


class ReplaySection(Section, of=ReplaySettings):
    """Recorded answers in the place of made ones."""

    path: Annotated[str, Text("a path")] | None = Field(
        None,
        description="A folder of recordings, or one of its files. They are read when the server "
        "starts, or takes up its configuration again.",
    )
    speed: Annotated[float, Number(0.001, 1000)] = Field(
        1.0, description="How fast: 2 halves all recorded times."
    )
    ids: Annotated[Ids, Words(get_args(Ids))] = Field(
        "fresh",
        description="Whether each answer has ids of its own, or the recorded ones (`keep`).",
    )
    match_also: Fields = Field(
        (),
        description="More fields of the body in which requests must be the same, such as "
        "`temperature` or `text.format`.",
    )
    match_never: Fields = Field((), description="Fields that need not be the same after all.")
