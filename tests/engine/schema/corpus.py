"""The hand-written schemas: tools, structured outputs, and every keyword on its own.

Each entry has a ``name`` and a ``schema``; ``as`` is the same in Draft 2020-12 where the schema
is written in another dialect, and ``checker`` is "ecma" where its patterns are not Python's.
"""

import json
from pathlib import Path
from typing import Any

FILES = sorted((Path(__file__).parent / "corpus").glob("*.json"))


def entries() -> list[tuple[str, dict[str, Any]]]:
    """All entries, each with a name that says where it comes from."""
    return [
        (f"{path.stem}: {entry['name']}", entry)
        for path in FILES
        for entry in json.loads(path.read_text(encoding="utf-8"))
    ]
