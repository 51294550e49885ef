"""The modules that wheels have compiled (pyproject.toml), as far as their source tells."""

import ast
import tomllib
from pathlib import Path

import pytest

import llmsim

ROOT = Path(llmsim.__file__).parents[1]
PROJECT = ROOT / "pyproject.toml"
if not (ROOT / "hatch_build.py").exists():
    pytest.skip("this is no source tree", allow_module_level=True)

HOOK = tomllib.loads(PROJECT.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
MODULES: list[str] = HOOK["custom"]["modules"]


def source(name: str) -> Path:
    return ROOT / f"{name.replace('.', '/')}.py"


def test_the_list_is_in_order() -> None:
    assert sorted(set(MODULES)) == MODULES


def test_nothing_compiled_is_in_the_source_tree() -> None:
    assert not [file for suffix in ("so", "pyd") for file in (ROOT / "llmsim").rglob(f"*.{suffix}")]


@pytest.mark.parametrize("name", MODULES)
def test_its_classes_can_be_compiled(name: str) -> None:
    """mypyc ignores a class's own keywords, so a struct with any has to inherit them."""
    for node in ast.walk(ast.parse(source(name).read_text())):
        if not isinstance(node, ast.ClassDef) or not node.keywords:
            continue
        keywords = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg}
        assert [ast.unparse(base) for base in node.bases] == ["Value"], node.name
        assert keywords == {"frozen": True, "gc": False}, node.name


@pytest.mark.parametrize("name", MODULES)
def test_it_defines_nothing_that_is_decoded(name: str) -> None:
    """A compiled class does not know what its lists are of, which a JSON decoder has to."""
    tree = ast.parse(source(name).read_text())
    made = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {one for one in made if one.endswith("json.Decoder")}


def test_no_interpreted_class_derives_from_a_compiled_one() -> None:
    """Python refuses that as soon as the module is imported from a wheel."""
    compiled = {
        (name, node.name)
        for name in MODULES
        for node in ast.walk(ast.parse(source(name).read_text()))
        if isinstance(node, ast.ClassDef)
        and "allow_interpreted_subclasses" not in "".join(map(ast.unparse, node.decorator_list))
    }
    assert len(compiled) > 20
    wrong = []
    for file in (ROOT / "llmsim").rglob("*.py"):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        if name in MODULES:
            continue
        tree = ast.parse(file.read_text())
        imported = {
            one.asname or one.name: (node.module, one.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for one in node.names
        }
        wrong += [
            f"{name}.{node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
            if imported.get(ast.unparse(base)) in compiled
        ]
    assert wrong == []
