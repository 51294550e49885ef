"""Any schema llmsim accepts, as plain Draft 2020-12 in which every $ref is local.

Reading a schema is also where a malformed one is refused, naming the keyword.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmsim.engine.schema.impossible import ImpossibleSchema, Path
from llmsim.engine.schema.keywords import READERS, Facet, shown
from llmsim.engine.schema.legacy import modern
from llmsim.engine.schema.refs import DEEPEST, References

NOTHING: Facet = {"not": {}}
"""The schema ``false``."""

_IN_PLACE = ("not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")


class Document:
    """One normalised schema.

    ``targets`` maps each local reference to the schema it means, the root being ``#/$defs/0``.
    """

    def __init__(self, schema: Any) -> None:
        self._raw = schema
        self._references: References | None = None
        self._numbers: dict[int, int] = {}
        self._waiting: list[tuple[Any, Path]] = []
        self._paths: dict[int, Path] = {}
        self.targets: dict[str, Facet] = {}
        self._target(schema, ())
        for raw, path in self._waiting:  # grows while targets are read
            self.targets[f"#/$defs/{len(self.targets)}"] = self.schema(raw, path)
        self.root = self.targets["#/$defs/0"]
        if len(self.targets) > 1 or self._references is not None:
            self._refuse_loops()

    def path(self, *facets: Facet) -> Path:
        """Where in the user's schema the first of the facets stands that was not made up."""
        return next((self._paths[id(each)] for each in facets if id(each) in self._paths), ())

    def place(self, facet: Facet, path: Path) -> Facet:
        """Say where a made-up facet comes from."""
        self._paths[id(facet)] = path
        return facet

    def followed(self, facet: Facet) -> Facet:
        """What a facet that is nothing but a reference refers to, in the end."""
        while facet.keys() == {"$ref"}:
            facet = self.targets[facet["$ref"]]
        return facet

    def standard(self) -> Facet:
        """The whole document as one self-contained schema."""
        if len(self.targets) == 1 and self._references is None:
            return self.root
        defs = {key.rpartition("/")[2]: facet for key, facet in self.targets.items()}
        return {"$ref": "#/$defs/0", "$defs": defs}

    def closed(self, facets: tuple[Facet, ...]) -> Facet:
        """Facets that must all hold, as one self-contained schema."""
        found: dict[str, Facet] = {}
        waiting: list[Any] = list(facets)
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                key = node.get("$ref")
                if isinstance(key, str) and key in self.targets and key not in found:
                    found[key] = self.targets[key]
                    waiting.append(found[key])
                waiting += node.values()
            elif isinstance(node, list):
                waiting += node
        schema: Facet = {"allOf": list(facets)} if len(facets) > 1 else dict(facets[0])
        if found:
            schema["$defs"] = {key.rpartition("/")[2]: facet for key, facet in found.items()}
        return schema

    def schema(self, raw: Any, path: Path) -> Facet:
        """One subschema, normalised, and all that is below it."""
        if raw is True:
            return self.place({}, path)
        if raw is False:
            return self.place(dict(NOTHING), path)
        if not isinstance(raw, Mapping):
            raise ImpossibleSchema(path, f"{shown(raw)} is not a schema (object or boolean)")
        if len(path) > DEEPEST:
            raise ImpossibleSchema(path[:8], f"nested more than {DEEPEST} steps deep")
        facet: Facet = {}
        for key, value in modern(raw).items():
            if key == "$ref":
                facet[key] = self._follow(value, raw, path)
            elif read := READERS.get(key):
                facet[key] = read(self, value, (*path, key))
        return self.place(facet, path)

    def _follow(self, reference: Any, raw: Any, path: Path) -> str:
        where = (*path, "$ref")
        if not isinstance(reference, str):
            raise ImpossibleSchema(where, f"{shown(reference)} is not a string")
        if self._references is None:
            self._references = References(self._raw)
        return self._target(*self._references.follow(reference, raw, where))

    def _target(self, raw: Any, path: Path) -> str:
        number = self._numbers.get(id(raw))
        if number is None or isinstance(raw, bool):
            number = self._numbers[id(raw)] = len(self._waiting)
            self._waiting.append((raw, path))
        return f"#/$defs/{number}"

    def _refuse_loops(self) -> None:
        """Refuse a schema that refers to itself about one and the same value."""
        done: set[int] = set()
        for target in self.targets.values():
            self._walk(target, set(), done)

    def _walk(self, facet: Facet, active: set[int], done: set[int]) -> None:
        if id(facet) in done:
            return
        if id(facet) in active:
            message = "refers to itself without describing anything: recursion without an exit"
            raise ImpossibleSchema(self.path(facet), message)
        active.add(id(facet))
        for child in self._in_place(facet):
            self._walk(child, active, done)
        active.remove(id(facet))
        done.add(id(facet))

    def _in_place(self, facet: Facet) -> list[Facet]:
        found = [facet[key] for key in _IN_PLACE if key in facet]
        for key in _IN_PLACE_LISTS:
            found += facet.get(key, ())
        found += facet.get("dependentSchemas", {}).values()
        if "$ref" in facet:
            found.append(self.targets[facet["$ref"]])
        return found


def normalise(schema: Mapping[str, Any] | bool) -> Facet:
    """The schema as plain Draft 2020-12 with local references only.

    Understands drafts 4 to 2020-12, OpenAPI 3.0 and Gemini's upper-case types. Keywords that
    say nothing about the value's form are dropped. Raises ImpossibleSchema for a malformed one.
    """
    return Document(schema).standard()
