"""What llmsim does otherwise than Granian, and what it relies on beyond Granian's documentation.

Read this when Granian is upgraded (pyproject.toml admits patch releases of one minor version).

Overridden, in :class:`Supervisor` but for the last:

- ``_spawn_worker``: a worker starts with the signals that end it held back, because Granian loses
  one that comes before the worker's event loop runs. ``WorkerApp`` lets them in. And it has ended
  when the thread that waits for it says so: Granian asks the process once more, which two threads
  cannot do at a time, and so kills workers, as it says, that are gone.
- ``_stop_workers``: a worker that was signalled with the whole process group ends before its
  parent stops it; Granian counts that as a failure and exits with 1.
- ``_reload`` (SIGHUP): only the hooks run. Granian replaces every worker, and with them every open
  stream; llmsim's workers take the new configuration as they are. Certificates they cannot take:
  there, a hook calls ``replace_workers``.
- ``_serve_loop``: Granian ends the server when a worker dies twice within 5.5 s. A server under
  test is killed on purpose, so only workers that die as fast as they start end it.
- ``granian._signals.set_loop_signals``: a worker that is told twice to stop may wait for itself for
  ever, so it hears only the first signal (:func:`llmsim.server.shutdown.listen_once`).

Overridden elsewhere:

- ``transport.rsgi``: a worker's ``_future_watcher_wrapper``, so that a request comes with the time
  at which it was handed over.

Relied on elsewhere:

- ``transport.rsgi``: ``send_bytes`` sends at once, though it gives an awaitable, whose type says
  whether the client is there; a response ends when its transport is no longer referenced; a body
  that breaks off shows as empty chunks, without end over HTTP/2.
- ``transport.connection``, ``transport.slow_clients``: a client's socket is a descriptor of the
  worker's own process, and Granian takes one that is shut down under it for a client that left.
- ``transport.websocket``: sends are not kept in order, so one task sends.
- ``server.shutdown``: open responses may end before ``__rsgi_del__`` is called.
- ``telemetry.logs``: Granian's own lines are those of the logger ``_granian``.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from granian.server import Server

from llmsim.server.worker import SHUTDOWN_SIGNALS

SHORTEST_LIFE: Final = 0.5
"""Seconds a worker must have lived to be replaced without a pause."""

ATTEMPTS: Final = 10
"""Workers in a row that may die sooner than that before the server gives up."""

STARTING: Final = 60.0
"""Seconds that a worker in place of another may take until it serves."""

LOOK: Final = 0.02
"""Seconds between two looks at whether it does."""

log = logging.getLogger("llmsim")


class Supervisor(Server):  # type: ignore[misc, valid-type]
    """Granian's process manager, which replaces every worker that dies.

    ``leaving`` are workers that were replaced and let their open streams end.
    """

    leaving: tuple[Any, ...] = ()
    _spawn: Callable[[int], Any]

    def pids(self) -> list[int]:
        """The process ids of the workers."""
        return [worker.inner.pid for worker in (*self.wrks, *self._still_leaving())]

    def replace_workers(self, ready: Callable[[int], bool]) -> bool:
        """Replace every worker, one after another, and let each end its open streams.

        ``ready`` says of a process id whether it serves. If the first new worker does not get that
        far nothing has changed: False. To be called by a hook of the reload.
        """
        while self._still_leaving() and not self.interrupt_signal:
            time.sleep(LOOK)  # shared memory has room for two workers in place of one, not for more
        for index in range(len(self.wrks)):
            new = self._ready_worker(index, ready)
            if self.interrupt_signal:
                self.leaving += () if new is None else (new,)
                return True
            if new is not None:
                self._succeed(index, new)
            elif index:  # others could start: this one is replaced as if it had died
                self._report(index)
            else:
                return False
        return True

    def _ready_worker(self, index: int, ready: Callable[[int], bool]) -> Any:
        """A new worker that serves, or that may not yet as the server is being stopped; None if it
        could not start."""
        new = self._spawn(index)
        new.interrupt_by_parent = True  # until it serves nobody else need know that it ends
        new.start()
        deadline = time.monotonic() + STARTING
        while new.is_alive() and not self.interrupt_signal and time.monotonic() < deadline:
            if ready(new.inner.pid):
                return new
            time.sleep(LOOK)
        if self.interrupt_signal:
            return new
        new.kill()
        return None

    def _succeed(self, index: int, new: Any) -> None:
        """Put a worker in the place of another, which ends once its streams have."""
        old, self.wrks[index] = self.wrks[index], new
        new.interrupt_by_parent = False
        if not new.is_alive():  # it died while that was of no interest
            self._report(index)
        old.terminate()
        self.leaving = (*self._still_leaving(), old)
        threading.Thread(target=self._end, args=(old,), name="leaving", daemon=True).start()

    def _report(self, index: int) -> None:
        """Have a worker replaced."""
        self.interrupt_children.append(index)
        self.main_loop_interrupt.set()

    def _end(self, old: Any) -> None:
        old.join(self.workers_kill_timeout)
        if old.is_alive():
            log.warning("killing a replaced worker whose streams have not ended in time")
            old.kill()

    def _still_leaving(self) -> list[Any]:
        return [worker for worker in self.leaving if worker.is_alive()]

    def ending(self) -> bool:
        """Whether the server has been told to end."""
        ending: bool = self.interrupt_signal
        return ending

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        worker = super()._spawn_worker(idx, target, callback_loader)
        ended = threading.Event()
        worker.start = partial(_start, worker.start)
        worker._watcher = partial(_watch, worker.inner, ended, worker._watcher)
        worker.join = ended.wait
        worker.is_alive = lambda: not ended.is_set()
        return worker

    def _stop_workers(self) -> None:
        for worker in self._still_leaving():
            self.wrks.append(worker)
        super()._stop_workers()
        if self.interrupt_signal:
            self.interrupt_children.clear()

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        self.reload_signal = False
        self._call_hooks(self.hooks_reload)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        self._spawn = lambda index: self._spawn_worker(index, spawn_target, target_loader)
        failures = 0
        while True:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                return
            if self.reload_signal:
                self._reload(spawn_target, target_loader)
            while self.interrupt_children:
                index = self.interrupt_children.pop(0)
                early = time.monotonic() - self.wrks[index].birth < SHORTEST_LIFE
                failures = failures + 1 if early else 0
                if failures > ATTEMPTS:
                    log.error("workers die as soon as they start: giving up")
                    self.interrupt_children.append(index)
                    return
                if early:
                    time.sleep(SHORTEST_LIFE)
                self._respawn_workers([index], spawn_target, target_loader)


def _start(start: Callable[[], None]) -> None:
    """Start a worker with the signals that end it held back, which it inherits."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SHUTDOWN_SIGNALS)
    try:
        start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch(process: Any, ended: threading.Event, watch: Callable[[], None]) -> None:
    """Wait for a worker's process to end, and then do what Granian does about it."""
    process.join()
    ended.set()
    watch()
