"""A server of one's own, in a process of its own: ``llmsim.Server``."""

from __future__ import annotations

import asyncio
import json
import os
import site
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from llmsim.testing.addresses import ANY_KEY, Addresses
from llmsim.testing.client import ControlClient

ROOT: Final = Path(__file__).parents[2]
CONFIG: Final = "llmsim.json"
LOOK: Final = 0.003
"""Seconds between two looks for the file that says that the server is ready."""

STOP_TIMEOUT: Final = 5.0
"""Seconds that a server has to end."""

QUICK: Final[Mapping[str, Any]] = {"warm": [], "drain_timeout_ms": 200}
"""How a server of a test differs from others, unless its configuration says otherwise: it is there
at once and gone at once, and a model's tokenizer is built when it is first asked for."""

_running: weakref.WeakSet[ServerProcess] = weakref.WeakSet()


class CannotServe(RuntimeError):  # noqa: N818  named for what it says
    """A server did not start. The message is what it printed."""


class ServerProcess:
    """A server that runs while the context is open; ``with`` and ``async with`` both do.

        with llmsim.Server({"latency": {"profile": "instant"}}) as server:
            client = OpenAI(base_url=server.openai_url, api_key="any")

    ``config`` is what llmsim.yaml would say, as a dictionary, or the path of such a file; in a
    dictionary, paths are relative to the current directory. ``port`` 0 is a free one, ``workers``
    None as many as the configuration says. A server
    ends with the process that started it, however that ends. ``api_key`` is what :meth:`env` gives
    clients, for a configuration with ``keys``. Variables ``LLMSIM_*`` of the environment do not
    reach it, so that tests are the same everywhere.

    Entering raises CannotServe for a configuration with mistakes, a port that is taken, or a server
    that is not ready within ``timeout`` seconds.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        port: int = 0,
        workers: int | None = 1,
        *,
        host: str = "127.0.0.1",
        api_key: str = ANY_KEY,
        token: str | None = None,
        timeout: float = 30.0,
        stdin: IO[bytes] | int = subprocess.PIPE,
    ) -> None:
        self._config = config
        self._flags = ["--host", host, "--port", str(port)]
        if workers is not None:
            self._flags += ["--workers", str(workers)]
        self._api_key = api_key
        self._token = token or _token(config)
        self._timeout = timeout
        self._stdin = stdin
        self._addresses: Addresses | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> Self:
        """Start the server; gives it once it answers. Entering the context does this."""
        with tempfile.TemporaryDirectory(prefix="llmsim-start-") as folder:
            ready = Path(folder, "url")
            self._log = tempfile.TemporaryFile()  # noqa: SIM115  it is open as long as the server
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "llmsim", "serve", "--log-level", "warning"),
                    *("--until-eof", "--ready-file", str(ready)),
                    *self._flags,
                    *self._config_flags(Path(folder, CONFIG)),
                ],
                stdin=self._stdin,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                env=_environment(self._token),
            )
            _running.add(self)
            try:
                url = self._url(ready)
            except BaseException:
                self._process.kill()
                self.close()
                raise
        self._addresses = Addresses(url, self._api_key, self._token)
        return self

    def close(self) -> None:
        """Stop the server. Answers that are still open are cut."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()  # its workers end with it
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
        if self._log is not None:
            self._log.close()

    def leave(self) -> None:
        """Let the server run without this process, which has no end of its pipe: others do."""
        if self._process is not None:
            self._process.returncode = 0  # or its finalizer complains
            self._process = None

    @property
    def addresses(self) -> Addresses:
        """All base URLs. Raises RuntimeError unless the server was started."""
        if self._addresses is None:
            raise RuntimeError("the server is not started: use it as a context manager")
        return self._addresses

    @property
    def url(self) -> str:
        """The address, such as ``http://127.0.0.1:40417``."""
        return self.addresses.url

    @property
    def openai_url(self) -> str:
        """The base URL of OpenAI's SDKs."""
        return self.addresses.openai_url

    @property
    def anthropic_url(self) -> str:
        """The base URL of Anthropic's SDKs."""
        return self.addresses.anthropic_url

    @property
    def gemini_url(self) -> str:
        """The base URL of Google's SDKs."""
        return self.addresses.gemini_url

    @property
    def pid(self) -> int:
        """The process id of the one that looks after the workers."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def env(self) -> dict[str, str]:
        """The environment variables by which the SDKs find the server, for ``os.environ`` or a
        process that is to use it."""
        return self.addresses.env()

    def scope(self, name: str) -> Addresses:
        """The addresses of a scope: requests to them see and are seen by nobody else."""
        return self.addresses.scope(name)

    def client(self) -> ControlClient:
        """A client of its control API."""
        return self.addresses.client()

    def output(self) -> str:
        """What the server has printed: warnings and errors."""
        if self._log is None or self._log.closed:
            return ""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode(errors="replace").strip()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.close)

    def let_go(self) -> None:
        """In a forked child: the server is not to wait for this process to end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _config_flags(self, file: Path) -> list[str]:
        config = self._config
        if isinstance(config, (str, os.PathLike)):
            return ["--config", os.fspath(config)]
        content = dict(config or {})
        server = content.get("server") or {}
        if isinstance(server, Mapping):
            content["server"] = {**QUICK, **_absolute(server, "tls")}
        file.write_text(json.dumps(_absolute(content, "mock_files")), encoding="utf-8")
        return ["--config", str(file)]

    def _url(self, ready: Path) -> str:
        """The server's URL, once it is ready."""
        assert self._process is not None
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return ready.read_text(encoding="utf-8").strip()
            except FileNotFoundError:
                pass
            if self._process.poll() is not None:
                said = self.output().replace(f"{ready.with_name(CONFIG)}:1: ", "")
                raise CannotServe(said or f"exit code {self._process.returncode}")
            if time.monotonic() > deadline:
                raise CannotServe(f"not ready within {self._timeout:g} s: {self.output()}")
            time.sleep(LOOK)


def _let_all_go() -> None:
    for server in list(_running):
        server.let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_all_go)


def _token(config: object) -> str | None:
    """The token that a configuration in a dictionary asks of those who steer the server."""
    control = config.get("control") if isinstance(config, Mapping) else None
    token = control.get("token") if isinstance(control, Mapping) else None
    return token if isinstance(token, str) else None


def _absolute(section: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The section with paths below one of its keys made absolute: the file they are written to is
    elsewhere."""
    value = section.get(name)
    if isinstance(value, Mapping):
        paths = ("cert", "key", "client_ca", "self_signed")
        value = {key: _path(one) if key in paths else one for key, one in value.items()}
    elif isinstance(value, list):
        value = [_path(one) for one in value]
    else:
        return dict(section)
    return {**section, name: value}


def _path(value: Any) -> Any:
    return str(Path(value).absolute()) if isinstance(value, str) and value else value


def _environment(token: str | None) -> dict[str, str]:
    """This process's environment, with nothing in it that configures llmsim but the token, and with
    this llmsim in it where that is not installed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LLMSIM_")}
    if token is not None:
        environ["LLMSIM_TOKEN"] = token
    if str(ROOT) not in (*site.getsitepackages(), site.getusersitepackages()):
        environ["PYTHONPATH"] = os.pathsep.join(
            filter(None, (str(ROOT), environ.get("PYTHONPATH")))
        )
    return environ
