"""Which fields requests may have: a tree made from the official SDKs' types, and what in a body is
not in it.

``data/request_fields.json`` has ``requests`` (a node for the body of each endpoint) and ``types``
(the fields of each object, with a node for each). A node is

=============================== ======================================================
``null``                        anything
``"scalar"``                    no list and no object
``"NAME"``                      an object of that type
``{"list": node}``              a list of such
``{"map": node}``               an object with any names, and such values
``{"any": [node, ...]}``        at most one of each of these kinds
``{"by": tag, "of": {...}}``    an object whose field ``tag`` says which of the nodes it is;
                                ``default`` is the value where it is missing, ``else`` the node
                                for an object that has another value
=============================== ======================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeAlias

Node: TypeAlias = Any
Types: TypeAlias = Mapping[str, Mapping[str, Node]]


class MapKey(NamedTuple):
    """A step on a path: into the value of a map, by place and by key."""

    place: int
    key: str


class Variant(str):
    """A step on a path that no JSON has: which member of a union an object is."""

    __slots__ = ()


Path: TypeAlias = tuple["str | int | MapKey | Variant", ...]


@dataclass(frozen=True, slots=True)
class Misfit:
    """What a body has and its schema has not: a field ``name`` in the object at ``path``, unknown
    there, or one that is a list and holds only one value (``listed``)."""

    path: Path
    name: str
    listed: bool = False


Spellings: TypeAlias = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RequestFields:
    """The fields that the requests to one endpoint may have."""

    root: Node
    types: Types

    def misfits(self, body: Any) -> Iterator[Misfit]:
        """What a decoded body has and should not, in its order."""
        yield from self._misfits(self.root, body, ())

    def _misfits(self, node: Node, value: Any, path: Path) -> Iterator[Misfit]:
        if isinstance(value, list):
            inner = _of_kind(node, "list")
            if inner is not None:
                for place, one in enumerate(value):
                    yield from self._misfits(inner, one, (*path, place))
        elif isinstance(value, dict):
            yield from self._in_object(node, value, path)

    def _in_object(self, node: Node, value: dict[str, Any], path: Path) -> Iterator[Misfit]:
        if (inner := _of_kind(node, "map")) is not None:
            for place, (key, one) in enumerate(value.items()):
                yield from self._misfits(inner, one, (*path, MapKey(place, key)))
            return
        if (tagged := _tagged(node)) is not None:
            kind = value.get(tagged["by"], tagged.get("default"))
            of_kind = tagged["of"].get(kind) if isinstance(kind, str) else None
            if of_kind is not None and len(tagged["of"]) > 1:
                path = (*path, Variant(kind))
            node = of_kind or tagged.get("else")
        fields = self.types.get(_name(node))
        if fields is None:
            return
        for name, one in value.items():
            if name not in fields:
                yield Misfit(path, name)
            elif isinstance(one, list) and fields[name] == "scalar":
                yield Misfit(path, name, listed=True)
            elif isinstance(one, list | dict):
                yield from self._misfits(fields[name], one, (*path, name))


def _of_kind(node: Node, kind: str) -> Node:
    for one in _kinds(node):
        if isinstance(one, dict) and kind in one:
            return one[kind]
    return None


def _tagged(node: Node) -> dict[str, Any] | None:
    return next((one for one in _kinds(node) if isinstance(one, dict) and "by" in one), None)


def _name(node: Node) -> str:
    return next((one for one in _kinds(node) if isinstance(one, str)), "")


def _kinds(node: Node) -> list[Node]:
    return node["any"] if isinstance(node, dict) and "any" in node else [node]


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(
        files("llmsim.data").joinpath("request_fields.json").read_bytes()
    )
    return data


def request_fields(name: str, spellings: Spellings | None = None) -> RequestFields:
    """The fields of the endpoint's requests. ``spellings`` are the others that each name has."""
    data = _file()
    types: Types = data["types"]
    if spellings is not None:
        types = {
            kind: {
                spelled: node
                for field, node in fields.items()
                for spelled in (field, *spellings(field))
            }
            for kind, fields in types.items()
        }
    return RequestFields(data["requests"][name], types)
