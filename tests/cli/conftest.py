"""Running commands in this process, with nothing configured from outside."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from llmsim.cli import main
from llmsim.config.sources import PREFIX

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("check", "sim.yaml", input=b"", **variables)`."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)

    def invoke(*args: str, input: bytes = b"", **variables: str) -> Result:  # noqa: A002  click's
        return CliRunner().invoke(main, args, input=input, env=variables)

    return invoke
