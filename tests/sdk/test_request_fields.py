"""The checked-in fields of requests are those of the SDKs they were made from."""

from importlib.metadata import version
from importlib.resources import files
from typing import Any

import orjson
import pytest

from tests.sdk import request_fields

FILE: dict[str, Any] = orjson.loads(
    files("llmsim.data").joinpath("request_fields.json").read_bytes()
)


def test_the_file_is_what_the_sdks_say() -> None:
    for name, made_from in FILE["made_from"].items():
        if version(name) != made_from:
            pytest.skip(f"made from {name} {made_from}; {version(name)} is installed")
    assert request_fields.made() == FILE


def test_every_node_is_one_that_is_read() -> None:
    def check(node: Any) -> None:
        match node:
            case None | "scalar":
                pass
            case str():
                assert node in FILE["types"]
            case {"list": inner} | {"map": inner}:
                check(inner)
            case {"any": kinds}:
                assert len(kinds) > 1
                for inner in kinds:
                    check(inner)
            case {"by": str(), "of": members, **rest}:
                assert set(rest) <= {"default", "else"}
                for inner in [*members.values(), rest.get("else")]:
                    check(inner)
            case _:
                raise AssertionError(node)

    for root in FILE["requests"].values():
        check(root)
    for fields in FILE["types"].values():
        for node in fields.values():
            check(node)
