"""Starting the server: shared memory, workers, and what happens when they end."""

from __future__ import annotations

import logging.config
import math
import resource
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels

from llmsim.config import Config, Server
from llmsim.config.certificates import CertificateError
from llmsim.core.errors import ConfigError
from llmsim.core.mocks.mock import recordings_named
from llmsim.core.state import StoreError
from llmsim.proxy import serving
from llmsim.runtime.editor import Reload, Reread
from llmsim.runtime.store import ConfigStore
from llmsim.runtime.warm_up import preload
from llmsim.server.admin.auth import open_door
from llmsim.server.attached.config_watch import ConfigWatch, reload_by_signal
from llmsim.server.attached.end_of_input import stop_at_end_of_input
from llmsim.server.attached.free_port import free_port
from llmsim.server.attached.ready_file import accepts, local_url, ready_file
from llmsim.server.attached.whereabouts import whereabouts
from llmsim.server.granian_overrides import Supervisor
from llmsim.server.tls.files import TLSFiles
from llmsim.server.tls.renewal import Renewal
from llmsim.server.watchdog import HangingWorkers, Watchdog
from llmsim.server.worker import WorkerApp
from llmsim.state.launch_folder import new_folder
from llmsim.state.shared_state import counters_of, key_tables, new_segment
from llmsim.state.shm.layout import WARM
from llmsim.state.shm.segment import Segment
from llmsim.state.shm.worker_counters import WorkerCounters
from llmsim.state.sqlite import FILE, prepare
from llmsim.telemetry import logs
from llmsim.telemetry.forgotten_keys import ForgottenKeys
from llmsim.telemetry.history import HistoryWriter
from llmsim.telemetry.otlp import configured
from llmsim.transport.capacity import Capacity, capacity, open_file_limit, probe

BACKLOG = 4096

log = logging.getLogger("llmsim")


class CannotStart(Exception):  # noqa: N818  named for what it says
    """Why a server cannot be started here, for who started it."""


def serve(
    config: Config,
    reread: Reread,
    ready_path: str | None = None,
    until_eof: bool = False,
    watched: Callable[[], tuple[Path, ...]] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then let open streams end and return.

    ``reread`` gives the configuration as it would be if the server were started now. The file
    ``ready_path`` is there while the server can be used. With ``until_eof`` it also stops when
    standard input ends. Where ``watched`` gives files, a change of one of them or of a certificate
    is a reload. Raises CannotStart.
    """
    logging.config.dictConfig(logs.configuration(config.logging.format, config.server.log_level))
    with ExitStack() as stack:
        config = _bound(config, stack)
        server = config.server
        reread = partial(_reread, reread, server.port)
        room = _room(server)
        preload(config)
        _recordings(config)
        _services(config)
        _spans(config)
        folder = _folder(stack)
        store = _store(config, folder)
        segment = _segment(config)
        config_store = ConfigStore(config, segment, folder)
        supervisor = _supervisor(config, room)
        for line in whereabouts(config):
            log.info("%s", line)
        door = open_door(config)
        if door is not None:
            log.warning("%s", door)
        renewal = _tls(server, Path(folder), supervisor, segment)
        supervisor.on_reload(lambda: _reload(config_store, reread, renewal))
        Watchdog(_looks(server, segment, supervisor, watched)).start()
        if ready_path is not None:
            _announce(ready_path, server, segment, stack)
        if until_eof:
            # Granian hears no signal before it serves.
            supervisor.on_startup(stop_at_end_of_input)
        supervisor.serve(
            target_loader=partial(WorkerApp, config, segment.path, folder, store, reread),
            wrap_loader=False,
        )


def _supervisor(config: Config, room: Capacity) -> Supervisor:
    """Granian, as it is to serve; its workers are not started."""
    server = config.server
    header_timeout = round(server.header_timeout * 1000)
    return Supervisor(
        "llmsim",
        address=server.host,
        port=server.port,
        workers=server.workers,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.auto,
        http1_settings=HTTP1Settings(
            header_read_timeout=header_timeout, max_buffer_size=server.max_header_bytes
        ),
        http2_settings=HTTP2Settings(
            keep_alive_interval=header_timeout, max_headers_size=server.max_header_bytes
        ),
        backlog=BACKLOG,
        backpressure=room.connections,
        log_access=False,
        log_level=LogLevels(server.log_level),
        log_dictconfig=logs.configuration(config.logging.format, server.log_level),
        respawn_failed_workers=True,
        workers_kill_timeout=math.ceil(server.drain_timeout) or 1,
    )


def _looks(
    server: Server,
    segment: Segment,
    supervisor: Supervisor,
    watched: Callable[[], tuple[Path, ...]] | None,
) -> list[Callable[[float], None]]:
    """What the launcher looks at each second."""
    history = HistoryWriter(segment.history(), counters_of(segment))
    looks = [ForgottenKeys(key_tables(segment)).look, history.look]
    if server.hang_timeout:
        hanging = HangingWorkers(segment, server.hang_timeout, supervisor.pids, supervisor.ending)
        looks.append(hanging.look)
    if watched is not None:
        looks.append(_config_watch(watched, server).look)
    return looks


def _config_watch(watched: Callable[[], tuple[Path, ...]], server: Server) -> ConfigWatch:
    """What asks for a reload when one of these files or of the certificates changes."""
    tls = server.tls
    named = () if tls is None else (tls.cert, tls.key, tls.client_ca)
    certificates = tuple(Path(name) for name in named if name is not None)
    return ConfigWatch(lambda: (*watched(), *certificates), reload_by_signal)


def _tls(server: Server, folder: Path, supervisor: Supervisor, segment: Segment) -> Renewal | None:
    """Make workers speak TLS, where that is configured; what renews their certificates."""
    tls = server.tls
    if tls is None:
        return None
    if tls.self_signed is not None:
        # Imported late: it needs an extra.
        from llmsim.server.tls import self_signed  # noqa: PLC0415

        place = Path(tls.self_signed or folder).absolute()
        try:
            tls = self_signed.make(server, place)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise CannotStart(f"server.tls: no certificate made in {place}: {reason}") from None
        print(place / self_signed.CA, flush=True)
    counters = [WorkerCounters(segment.counters(slot)) for slot in range(segment.shape.slots)]

    def ready(pid: int) -> bool:
        return any(one.pid == pid and one.cells[WARM] for one in counters)

    try:
        files = TLSFiles(tls)
    except CertificateError as error:
        raise CannotStart(str(error)) from None
    return Renewal(files, supervisor, ready)


def _reload(config_store: ConfigStore, reread: Reread, renewal: Renewal | None) -> None:
    """Take what can change from the file again, and certificates from theirs; a configuration with
    faults changes nothing."""
    reload = Reload(reread)
    try:
        config_store.change(reload)
    except ConfigError as error:
        for fault in error.faults:
            log.error("%s", fault)
        log.error("not reloaded: the configuration in effect stays")
    except StoreError as error:
        log.error("%s", error)
        log.error("not reloaded: the configuration in effect stays")
    except Exception:  # the server goes on whatever it was
        log.exception("not reloaded: the configuration in effect stays")
    else:
        log.info("reloaded")
        for name in reload.needs_restart:
            log.warning("%s has changed: takes effect when the server is restarted", name)
        if renewal is not None:
            renewal.renew()


def _bound(config: Config, stack: ExitStack) -> Config:
    """The configuration with a port that the server can listen on."""
    server = config.server
    host, port = server.host, server.port
    try:
        if port:
            probe(host, port)
            return config
        port = stack.enter_context(free_port(host))
    except OSError as error:
        raise CannotStart(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return replace(config, server=replace(server, port=port))


def _reread(reread: Reread, port: int) -> Config:
    """The configuration read once more, with the port that was found for this launch."""
    config = reread()
    server = config.server
    return config if server.port else replace(config, server=replace(server, port=port))


def _announce(path: str, server: Server, segment: Segment, stack: ExitStack) -> None:
    """Have a file say when the server is ready, while the stack is open."""
    counters = counters_of(segment)
    url = local_url(server.host, server.port, server.tls is not None)

    def ready() -> bool:
        warm = sum(1 for one in counters if one.pid and one.cells[WARM])
        return warm >= server.workers and accepts(server.host, server.port)

    try:
        stack.enter_context(ready_file(path, url, ready))
    except OSError as error:
        raise CannotStart(f"--ready-file {path}: {error.strerror}") from None


def _room(server: Server) -> Capacity:
    """What a worker can take under the limit of open files, which is raised as far as the machine
    allows: a connection is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        log.warning("the limit of open files could not be raised to %d", hard)
    try:
        room = capacity(server.max_connections, open_file_limit(), server.workers)
    except OSError as error:
        advice = "raise the limit (ulimit -n) or have fewer server.workers"
        raise CannotStart(f"{error.strerror}: {advice}") from None
    if room.connections < server.max_connections:
        message = "open files are limited: a worker takes %d connections and %d WebSockets, not %d"
        log.warning(message, *room, server.max_connections)
    return room


def _folder(stack: ExitStack) -> str:
    """The launch's own folder, which the stack removes."""
    try:
        return stack.enter_context(new_folder())
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotStart(
            f"no folder for temporary files: {reason}; TMPDIR may name one that can be written to"
        ) from None


def _recordings(config: Config) -> None:
    """Read what is to be replayed once, before the workers are forked."""
    if config.replay.path is None:
        return
    from llmsim.recordings.replay import loaded  # noqa: PLC0415  an extra of those who replay

    try:
        answers = loaded(config.replay)
    except (OSError, ValueError) as error:
        raise CannotStart(f"replay.path: {error}") from None
    except ModuleNotFoundError as error:
        advice = "pip install 'llmsim[record]'"
        raise CannotStart(f"replay.path: {error.name} is not installed: {advice}") from None
    for name in recordings_named((*config.mocks, *config.scripts)):
        if name not in answers:
            raise CannotStart(f"recording {name!r}, which a mock names, is not in replay.path")
    log.info("%d recordings to replay in %s", answers.total, config.replay.path)


def _services(config: Config) -> None:
    """Look whether requests can be passed on and recorded, before there are workers."""
    try:
        serving.prepare(config)
    except serving.CannotPassOn as error:
        raise CannotStart(str(error)) from None


def _spans(config: Config) -> None:
    """Look whether requests can be told of as spans, before there are workers."""
    try:
        configured.prepare(config.telemetry.otlp)
    except configured.NoSpans as error:
        raise CannotStart(str(error)) from None


def _store(config: Config, folder: str) -> str:
    """The path of the database, which is there."""
    path = config.store.path or str(Path(folder, FILE))
    try:
        prepare(path)
    except StoreError as error:
        key = "store.path: " if config.store.path else "cannot make the database: "
        raise CannotStart(f"{key}{error}") from None
    return path


def _segment(config: Config) -> Segment:
    try:
        return new_segment(config)
    except OSError as error:
        raise CannotStart(f"cannot make the shared memory: {error.strerror}") from None
