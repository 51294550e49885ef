"""The streaming load client, ``client.c``: compiled on demand, run, its report typed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

SOURCE = Path(__file__).with_name("client.c")


class MissingError(Exception):
    """A program that the benchmark needs is not installed; the message says how to get it."""


class ClientError(Exception):
    """The client failed; the message is what it printed."""


class Load(Struct, frozen=True):
    """What to send, in the words of ``client.c``. Times in seconds.

    With ``ttft`` and ``gap`` each of ``streams`` connections asks once and its tokens have due
    times; without them each asks again and again until the window closes. With ``cut`` streams are
    left that are open when it has.
    """

    streams: int
    lead: int
    tokens: int
    tail: int
    ramp: float = 0.0
    settle: float = 0.0
    window: float = 1.0
    limit: float = 30.0
    pause: float = 0.0
    ttft: float | None = None
    gap: float | None = None
    cut: bool = False


class Quantiles(Struct, frozen=True):
    """Of times in milliseconds."""

    min: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float


class LoadResult(Struct, frozen=True):
    """What the client saw.

    Streams by how they ended: ``answers`` (whole), ``failed`` (connection lost), ``refused``
    (not a 200), ``miscounted`` (a wrong number of events), ``cut`` (by the client), ``unfinished``.

    Within the window: ``window_events`` arrived in ``window_reads`` reads; of ``due`` tokens
    ``delivered`` had arrived one gap after its end, ``missing`` never did, ``early`` came before
    their time. ``late_ms`` is over the due tokens, those missing with the time waited for them in
    vain: by when they were in the client's socket; ``late_read_ms`` by when the client had read
    them. ``late_paced_ms`` is ``late_ms`` less the least lateness of any token of the same stream:
    without what the request lost on its way in. ``offset_ms`` is over the streams: the least
    lateness of any of its tokens.
    """

    late_ms: Quantiles | None
    late_read_ms: Quantiles | None
    late_paced_ms: Quantiles | None
    offset_ms: Quantiles | None
    answers: int
    failed: int
    refused: int
    miscounted: int
    unfinished: int
    events: int
    window_events: int
    window_reads: int
    due: int
    delivered: int
    missing: int
    early: int
    open_at_open: int
    open_at_close: int
    window_s: float
    window_cpu_s: float
    wall_s: float
    cut: int = 0

    @property
    def errors(self) -> int:
        return self.failed + self.refused + self.miscounted + self.unfinished


def compiler() -> str:
    found = shutil.which(os.environ.get("CC", "cc"))
    if not found:
        raise MissingError("a C compiler is needed to build the load client: apt-get install gcc")
    return found


def compiled() -> Path:
    """The client's executable, built once for each version of its source."""
    version = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"llmsim-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    binary = folder / f"client-{version}"
    if not binary.exists():
        half = binary.with_suffix(f".{os.getpid()}")
        flags = ("-O2", "-Wall", "-Wextra", "-Werror")
        command = [compiler(), *flags, "-o", str(half), str(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClientError(done.stderr)
        half.rename(binary)
    return binary


def run_client(
    port: int, request: bytes, load: Load, on_mark: Callable[[str], None] = lambda _: None
) -> LoadResult:
    """Run one load against 127.0.0.1. ``on_mark`` is called with "open" as the window opens and
    "close" as it closes, while the streams go on."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(request)
        file.flush()
        command = [str(compiled()), "--port", str(port), "--request", file.name]
        for name, value in msgspec.structs.asdict(load).items():
            if value is not None:
                command += [f"--{name}", f"{value:.9g}"]
        return _listen(command, on_mark)


def _listen(command: list[str], on_mark: Callable[[str], None]) -> LoadResult:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            last = b""
            for line in process.stdout:
                if line.startswith(b'{"mark"'):
                    on_mark(msgspec.json.decode(line)["mark"])
                last = line
            printed = process.stderr.read().decode(errors="replace")
            if process.wait():
                raise ClientError(printed)
            seen = msgspec.json.decode(last, type=LoadResult)
        except BaseException:
            process.kill()
            raise
    if seen.errors and not seen.answers + seen.cut:
        raise ClientError(f"no stream ended well: {seen}\n{printed}")
    return seen
