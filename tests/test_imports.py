"""The import ladder: modules import downwards only, and the core touches no clock or socket."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmsim

ROOT = Path(llmsim.__file__).parent

# Rung by rung, lowest first. What is on a rung may import from the rungs below, and from its
# own package; what is named together with others shares their rung without knowing them.
LADDER = [
    {"core"},
    {"config", "engine"},
    {"providers"},
    {"pipeline"},
    {"state"},
    {"recordings", "telemetry"},
    {"runtime"},
    {"transport"},
    {"proxy"},
    {"server", "sending"},
    {"tui", "library", "testing", "overhead"},
    {"loadtest"},
    {"drift"},
    {"cli"},
    {"__main__"},
]
RUNG = {name: rung for rung, names in enumerate(LADDER) for name in names}

CORE = {"core", "engine", "providers", "pipeline"}
IMPURE = {
    "asyncio",
    "concurrent",
    "granian",
    "logging",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "select",
    "selectors",
    "signal",
    "socket",
    "starlette",
    "subprocess",
    "time",
    "uvloop",
}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
GENERATORS = {"np.random.Generator", "np.random.PCG64"}
"""What the core may take from numpy's random numbers: a generator it gives the seed to."""


def modules() -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """The dotted names a module imports, anywhere in it; a name out of a module is ``module.name``
    where that is a module of its own, else the module."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name} imports relatively"
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def part(name: str) -> str:
    """The part of llmsim that a module is, or is in: the package's second name."""
    return name.partition(".")[2].partition(".")[0]


def under(*parts: str) -> list[str]:
    return [name for name in MODULES if part(name) in parts]


def test_every_part_has_a_rung() -> None:
    assert {part(name) for name in MODULES} - {""} <= RUNG.keys()


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_the_ladder(name: str) -> None:
    own = part(name)
    if not own:  # the package itself has nothing but its version and its names
        return
    for imported in imports(name):
        other = part(imported) if imported.startswith("llmsim.") else ""
        if other and other != own:
            assert RUNG[other] < RUNG[own], f"{name} imports {imported}"


@pytest.mark.parametrize("name", under("providers"))
def test_providers_do_not_know_the_engine(name: str) -> None:
    assert not [one for one in imports(name) if part(one) in ("engine", "config")]


@pytest.mark.parametrize("name", under("engine", "providers", "pipeline"))
def test_nothing_on_the_way_of_a_request_knows_configuration_files(name: str) -> None:
    assert not [one for one in imports(name) if part(one) == "config"]


@pytest.mark.parametrize("name", under("config"))
def test_the_configuration_knows_nothing_but_the_core(name: str) -> None:
    assert {part(one) for one in imports(name) if one.startswith("llmsim.")} <= {"core", "config"}


@pytest.mark.parametrize("name", under("providers"))
def test_providers_do_not_know_each_other(name: str) -> None:
    """What several share has no provider's name; only the registry knows all of them. A cloud knows
    those whose APIs it has."""
    if name == "llmsim.providers.registry":
        return
    own, shared = provider_of(name), {"", "provider", "rules", "wire", "media"}
    for imported in imports(name):
        if part(imported) == "providers":
            known = shared | {own} | CLOUDS.get(own, set())
            assert provider_of(imported) in known, f"{name} imports {imported}"


CLOUDS = {"azure": {"openai"}, "vertex": {"anthropic", "gemini"}, "bedrock": {"anthropic"}}


def provider_of(name: str) -> str:
    """The third name of a module: within ``llmsim.providers``, the provider's."""
    return [*name.split("."), "", ""][2]


@pytest.mark.parametrize("name", under(*CORE))
def test_the_core_imports_nothing_impure(name: str) -> None:
    for imported in imports(name):
        assert imported.partition(".")[0] not in IMPURE, f"{name} imports {imported}"


@pytest.mark.parametrize("name", under(*CORE))
def test_the_core_reads_no_clock_and_seeds_its_generators(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text())
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & CLOCKS
    assert {one for one in used if one.startswith("np.random.")} <= GENERATORS
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in GENERATORS:
            assert node.args, f"{name} has a generator without a seed, line {node.lineno}"


@pytest.mark.parametrize("name", MODULES)
def test_names_say_what_a_module_is(name: str) -> None:
    refused = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
    assert name.rpartition(".")[2] not in refused
