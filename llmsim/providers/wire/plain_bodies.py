"""Bodies in which every field is known, told in the time of a bare parse: most are.

From a tree of :mod:`llmsim.providers.wire.request_fields` a type is made that forbids unknown
fields. It has only what is simple to say of a type: of anything else it takes nothing, and then
the body is walked. So a body that it takes has no misfits, and one that it does not take may have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, Union

import msgspec

Node: TypeAlias = Any
Scalar: TypeAlias = str | int | float | bool | None

DEEPEST: Final = 4
"""Objects inside each other that are looked at."""
MOST_MEMBERS: Final = 40
"""Members of a union."""


class PlainBodies:
    """The bodies of one endpoint."""

    __slots__ = ("_decoder",)

    def __init__(self, root: Node, types: Mapping[str, Mapping[str, Node]]) -> None:
        self._decoder = msgspec.json.Decoder(_Types(types).made(root, DEEPEST))

    def takes(self, body: bytes) -> bool:
        """Whether the body has known fields only. False says nothing."""
        try:
            self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True


class _Types:
    """Types for nodes of a tree."""

    def __init__(self, types: Mapping[str, Mapping[str, Node]]) -> None:
        self._types = types
        self._structs: dict[tuple[Any, ...], Any] = {}

    def made(self, node: Node, depth: int) -> Any:
        """What is taken where the node is, with so many objects inside each other: texts and
        numbers always, as they have no fields."""
        if node is None:
            return Any
        kinds = node["any"] if isinstance(node, dict) and "any" in node else [node]
        made = [self._kind(one, depth) for one in kinds]
        return Any if Any in made else Union[(Scalar, *made)]

    def _kind(self, node: Node, depth: int) -> Any:
        match node:
            case None:
                return Any
            case str() if node in self._types and depth:
                return self._struct(node, depth)
            case {"list": inner}:
                return list[self.made(inner, depth)]  # type: ignore[misc]
            case {"map": inner}:
                return dict[str, self.made(inner, depth)]  # type: ignore[misc]
            case {"by": tag, "of": members} if depth and len(members) <= MOST_MEMBERS:
                return self._tagged(tag, members, depth)
            case _:
                return None

    def _tagged(self, tag: str, members: Mapping[str, Node], depth: int) -> Any:
        if not all(isinstance(one, str) and one in self._types for one in members.values()):
            return None
        structs = [self._struct(one, depth, tag, value) for value, one in members.items()]
        return Union[tuple(structs)]  # noqa: UP007  of a list

    def _struct(self, name: str, depth: int, tag: str | None = None, value: str = "") -> Any:
        key = (name, depth, tag, value)
        if key not in self._structs:
            fields = [
                (f"f{place}", self.made(node, depth - 1), None)
                for place, (field, node) in enumerate(self._types[name].items())
                if field != tag
            ]
            spelled = {
                f"f{place}": field for place, field in enumerate(self._types[name]) if field != tag
            }
            self._structs[key] = msgspec.defstruct(
                f"Plain{len(self._structs)}",
                fields,
                rename=spelled,
                forbid_unknown_fields=True,
                tag_field=tag,
                tag=value if tag else None,
                gc=False,
            )
        return self._structs[key]
