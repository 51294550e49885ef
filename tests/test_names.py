"""Names: plain words, a class name for one thing only, and folders of a size to take in."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmsim

ROOT = Path(llmsim.__file__).parent
MODULES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}

REFUSED = {"told", "given", "struck", "spoken"}
"""Words that say nothing about what a name stands for."""

PROVIDERS = "providers"
"""Wire types have their API's names, which two APIs may have in common."""

MOST_MODULES = 20


def top(module: str) -> str:
    """The part of llmsim a module is in: a folder at the top, or a module there."""
    return module.partition("/")[0].removesuffix(".py")


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that the code of a module has, with its line: variables, attributes, parameters,
    keywords, functions, classes, and what is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            continue
        for _, value in ast.iter_fields(node):
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str):
                    yield name, getattr(node, "lineno", 0)


def words(name: str) -> set[str]:
    """The words of an identifier: ``wordsOf_An_identifier`` has four."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def test_words_are_found_however_they_are_joined() -> None:
    assert words("_was_told") == {"was", "told"}
    assert words("given_") == {"given"}
    assert words("TOLD") == {"told"}
    assert words("ToldTwice") == {"told", "twice"}
    assert not words("forgiven untold") & REFUSED


def test_every_kind_of_identifier_is_seen() -> None:
    source = """
import a.b as c
def d(e, *, f=1): g.h = i(j=k)
class L: m: n = f"{o}"
match p:
    case Q(r=s) | {"t": u, **v}: pass
    case [*w]: pass
try: pass
except x as y: pass
z = lambda aa: aa
"""
    found = {name for name, _ in identifiers(ast.parse(source))}
    singles = {*"cdefghijkmnopsuvwxyzLQr", "aa", "a.b"}
    assert singles <= found


@pytest.mark.parametrize("module", MODULES)
def test_names_have_no_refused_words(module: str) -> None:
    path = MODULES[module]
    assert not words(path.stem) & REFUSED
    found = identifiers(ast.parse(path.read_text()))
    assert not [(name, line) for name, line in found if words(name) & REFUSED]


def homes() -> dict[str, list[str]]:
    """The modules that define each public class."""
    found = defaultdict(list)
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(module)
    return found


def test_class_names_are_unique() -> None:
    """In the tree, but for providers: there in its folder, and unknown outside of providers."""
    shared = []
    for name, modules in homes().items():
        folders = {Path(module).parent for module in modules}
        if len(folders) < len(modules) or (
            len(modules) > 1 and {top(module) for module in modules} != {PROVIDERS}
        ):
            shared.append(f"{name}: {', '.join(modules)}")
    assert not shared


FOLDERS = [
    path.relative_to(ROOT).as_posix()
    for path in (ROOT, *sorted(ROOT.rglob("*")))
    if path.is_dir() and path.name != "__pycache__"
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_no_list(folder: str) -> None:
    modules = [path for path in (ROOT / folder).iterdir() if path.suffix in (".py", ".js")]
    assert len(modules) <= MOST_MODULES
