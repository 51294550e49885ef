"""Compiles the hot modules when a wheel is built with ``LLMSIM_COMPILE=1``: hatch's build hook.

Which modules those are is said in ``pyproject.toml``. mypyc makes an extension of each, which the
wheel has beside the module's source. All of it happens in a folder of its own, so that nothing
compiled is ever left in the source tree. Without the variable, and in an editable install, the
wheel is plain Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "LLMSIM_COMPILE"
TOOLS = ["mypy>=1.20", "setuptools>=65"]

# What mypy finds is what tests/run holds; here only the types of what it can see count.
MYPY = "[mypy]\nignore_missing_imports = True\ndisable_error_code = import-untyped\n"
SETUP = """\
from mypyc.build import mypycify
from setuptools import setup

setup(
    name="llmsim",
    packages=[],
    ext_modules=mypycify(
        ["--config-file", "mypy.ini", *{modules!r}], group_name="llmsim", opt_level="2",
        debug_level="0",
    ),
)
"""


class CompileHook(BuildHookInterface[Any]):
    """Adds the extensions to a wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What building needs: the project's own dependencies are there for their types."""
        return [*TOOLS, *self.metadata.core.dependencies] if self._wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds the wheel."""
        if version == "editable" or not self._wanted():
            return
        self._folder = Path(mkdtemp(prefix="llmsim-compile-"))
        extensions = compiled(Path(self.root), self._folder, self.config["modules"])
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"] |= {str(file): name for name, file in extensions.items()}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called by hatchling once the wheel is built."""
        if hasattr(self, "_folder"):
            shutil.rmtree(self._folder)

    def _wanted(self) -> bool:
        return self.target_name == "wheel" and os.environ.get(SWITCH) == "1"


def compiled(root: Path, folder: Path, modules: list[str]) -> dict[str, Path]:
    """The extensions for these modules of the project at ``root``, built in ``folder``: where each
    belongs in the wheel, and where it is. Raises CalledProcessError where they cannot be built."""
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree(root / "llmsim", folder / "llmsim", ignore=ignored)
    (folder / "mypy.ini").write_text(MYPY)
    sources = [f"{name.replace('.', '/')}.py" for name in modules]
    (folder / "setup.py").write_text(SETUP.format(modules=sources))
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "built"]
    subprocess.run(command, cwd=folder, check=True)
    built = folder / "built"
    files = [file for file in built.rglob("*") if file.suffix in {".so", ".pyd"}]
    return {file.relative_to(built).as_posix(): file for file in files}
