"""Where a $ref leads: JSON pointers, anchors and embedded $ids within one schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from llmsim.engine.schema.impossible import ImpossibleSchema, Path

_ONE = (
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_MAPS = (
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
    "properties",
)


DEEPEST = 200
"""Steps of a path: a schema nested deeper is refused."""


class References:
    """Every place in one schema document that a $ref can name.

    Nothing outside the document is ever fetched.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._named: dict[str, tuple[Any, Path]] = {"": (root, ()), "#": (root, ())}
        self._bases: dict[int, str] = {}
        self._index(root, "", ())

    def follow(self, reference: str, schema: Any, path: Path) -> tuple[Any, Path]:
        """The subschema that ``reference`` within ``schema`` means, and its path.

        Raises ImpossibleSchema, at ``path``, for one that leads nowhere.
        """
        absolute = _joined(self._bases.get(id(schema), ""), reference)
        if found := self._named.get(absolute):
            return found
        document, fragment = urldefrag(absolute)
        home = self._named.get(document)
        if home is None or (fragment and not fragment.startswith("/")):
            raise ImpossibleSchema(path, f"$ref '{reference}' cannot be resolved")
        node, where = home
        for step in fragment.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (KeyError, IndexError, ValueError, TypeError):
                message = f"$ref '{reference}' cannot be resolved"
                raise ImpossibleSchema(path, message) from None
            where = (*where, key)
        return node, where

    def _index(self, schema: Any, base: str, path: Path) -> None:
        if not isinstance(schema, Mapping):
            return
        if len(path) > DEEPEST:
            raise ImpossibleSchema(path[:8], f"nested more than {DEEPEST} steps deep")
        identity = _identity(schema)
        if identity is not None:
            base = self._identify(schema, identity, base, path)
        for keyword in ("$anchor", "$dynamicAnchor"):
            anchor = schema.get(keyword)
            if isinstance(anchor, str):
                self._named.setdefault(f"{base}#{anchor}", (schema, path))
        if base:
            self._bases[id(schema)] = base
        for step, child in _children(schema):
            self._index(child, base, path + step)

    def _identify(self, schema: Any, identity: str, base: str, path: Path) -> str:
        """Register an $id; the base of what is below it."""
        absolute, fragment = urldefrag(_joined(base, identity))
        if fragment:  # before Draft 2019-09 an anchor was spelled as an $id
            self._named.setdefault(f"{absolute}#{fragment}", (schema, path))
            return base
        self._named.setdefault(absolute, (schema, path))
        return absolute


def _joined(base: str, reference: str) -> str:
    """``urljoin``, which does not know that a URN can have a fragment."""
    return base + reference if reference.startswith("#") else urljoin(base, reference)


def _identity(schema: Mapping[str, Any]) -> str | None:
    """The $id, or Draft 4's ``id`` where it can be nothing else."""
    identity = schema.get("$id")
    if identity is None and str(schema.get("id")).startswith("#"):
        identity = schema["id"]
    return identity if isinstance(identity, str) else None


def _children(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for key in _ONE:
        if key in schema:
            yield (key,), schema[key]
    for key in _LISTS:
        listed = schema.get(key)
        if isinstance(listed, list):
            for index, child in enumerate(listed):
                yield (key, str(index)), child
    for key in _MAPS:
        mapped = schema.get(key)
        if isinstance(mapped, Mapping):
            for name, child in mapped.items():
                yield (key, name), child
