"""What all commands have in common."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import click
import pytest

from llmsim import __version__
from llmsim.__main__ import main as load_and_run
from llmsim.cli import main
from llmsim.telemetry import build
from tests.cli.conftest import Run

VERSION = f"llmsim, version {__version__} ({build.kind()})\n"

COMMANDS = sorted(main.commands)


def test_ctrl_c_while_the_command_is_loaded_ends_it_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "llmsim.cli", Interrupted("llmsim.cli"))
    with pytest.raises(SystemExit) as ended:
        load_and_run()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_commands() -> None:
    assert {"serve", "plan", "check", "models"} <= set(COMMANDS)


@pytest.mark.parametrize("args", [(), *((name,) for name in COMMANDS)])
def test_help_ends_in_commands_to_paste(run: Run, args: tuple[str, ...]) -> None:
    result = run(*args, "--help")
    assert result.exit_code == 0
    _, _, examples = result.output.partition("\n  Examples:\n")
    lines = examples.rstrip("\n").split("\n")
    assert len(lines) >= 3
    assert all(line.startswith("    ") and " ".join(("llmsim", *args)) in line for line in lines)


def subcommands(group: click.Group, *above: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*above, name)
        if isinstance(command, click.Group):
            yield from subcommands(command, *above, name)


@pytest.mark.parametrize("args", list(subcommands(main)))
def test_a_command_is_summed_up_in_a_line_and_has_examples(run: Run, args: tuple[str, ...]) -> None:
    listed = run(*args[:-1], "--help").output.splitlines()
    (line,) = [line for line in listed if line.startswith(f"  {args[-1]} ")]
    assert not line.endswith("...")
    assert "\n  Examples:\n    llmsim " in run(*args, "--help").output


def test_version(run: Run) -> None:
    assert run("--version").output == VERSION


@pytest.mark.parametrize("args", [("sreve",), ("serve", "--prot", "1"), ("check",)])
def test_usage_errors_exit_with_2(run: Run, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_runs_as_a_module_and_help_needs_nothing_heavy() -> None:
    heavy = {"numpy", "granian", "pydantic"}
    loads = f"import sys, llmsim.cli; print(sorted({heavy} & set(sys.modules)))"
    assert _python("-c", loads) == "[]\n"
    assert _python("-m", "llmsim", "--version") == VERSION


def _python(*args: str) -> str:
    run = subprocess.run([sys.executable, *args], capture_output=True, text=True, check=True)
    return run.stdout
