"""Where the words of an answer come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

GeneratorKind: TypeAlias = Literal["lorem", "echo", "random", "fixed", "sequence"]

GENERATORS: Final[tuple[GeneratorKind, ...]] = get_args(GeneratorKind)


@dataclass(frozen=True, slots=True)
class GeneratorChoice:
    """``texts`` is the one text of ``fixed``, the texts of ``sequence`` in turn, and empty for
    the others."""

    kind: GeneratorKind
    texts: tuple[str, ...] = ()
