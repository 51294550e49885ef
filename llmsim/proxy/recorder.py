"""What becomes of an exchange: its tokens are counted, its secrets replaced, and it is written, in
a thread of its own. What waits for that is bounded: answers are never held up, recordings may be
lost, and both are counted."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Final

from msgspec import structs

from llmsim.config.settings import RecordSettings
from llmsim.engine.tokens.ranks import encoding
from llmsim.proxy.answer import TOKENIZER
from llmsim.recordings.anonymise.anonymiser import AnonymiseRules
from llmsim.recordings.anonymise.exchange import anonymised, without_credentials
from llmsim.recordings.answers import FrameTokens, answer_id, complete, usage
from llmsim.recordings.matching.canonical import key
from llmsim.recordings.matching.recorded import recorded_request
from llmsim.recordings.recording import Recording, ResponseEnd
from llmsim.recordings.writer import RecordingWriter
from llmsim.state.shm.layout import RECORDING, RECORDING_BYTES, RECORDINGS, RECORDINGS_LOST
from llmsim.state.shm.worker_counters import WorkerCounters

CELLS: Final = (RECORDINGS, RECORDING_BYTES, RECORDINGS_LOST)

MOST_WAITING: Final = 64 * 2**20
"""Bytes of bodies that may wait to be written."""

SWITCH: Final = 0.0005
"""Seconds for which this thread may keep the interpreter while frames wait to be passed on."""

log = logging.getLogger("llmsim")


class Recorder:
    """Writes recordings as ``rules`` say; None keeps everything but credentials in heads.

    How it goes is written to the process's ``counters``, if it has some.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        rules: AnonymiseRules | None,
        counters: WorkerCounters | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._writer = writer
        self._rules = rules
        self._most = most_waiting
        self._waiting: deque[Recording | None] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._too_many = 0
        self._cells = None if counters is None else counters.cells
        self._counted = (0, 0, 0)
        self._count()
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    @property
    def written(self) -> int:
        """How many are on disk."""
        return self._writer.written

    @property
    def problem(self) -> str:
        """Why nothing is written now; "" if it is."""
        return self._writer.problem

    @property
    def lost(self) -> int:
        """How many are not: the folder took none, or too many waited."""
        return self._writer.lost + self._too_many

    def record(self, recording: Recording) -> None:
        """Have a recording written. Returns at once."""
        size = _size(recording)
        with self._changed:
            if self._bytes + size > self._most:
                self._too_many += 1
                if self._too_many == 1:
                    log.warning("recording falls behind: exchanges are lost")
                return
            self._bytes += size
            self._waiting.append(recording)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, and end the file."""
        with self._changed:
            self._waiting.append(None)
            self._changed.notify()
        self._thread.join()
        self._writer.close()
        self._count()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                recording = self._waiting.popleft()
            if recording is None:
                return
            usual = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH)
            try:
                self._writer.write(self._kept(recording))
            except Exception:  # the next one may do better
                log.exception("could not record an exchange")
            finally:
                sys.setswitchinterval(usual)
            self._count()
            with self._changed:
                self._bytes -= _size(recording)

    def _count(self) -> None:
        """Count what has happened since that was last done. One thread at a time."""
        if self._cells is None:
            return
        writer, before = self._writer, self._counted
        self._counted = now = (writer.written, writer.bytes, self.lost)
        for cell, new, old in zip(CELLS, now, before, strict=True):
            self._cells[cell] += new - old
        self._cells[RECORDING] = 1 + writer.error

    def _kept(self, recording: Recording) -> Recording:
        """The recording as it is written."""
        counted = with_tokens(recording)
        if self._rules is None:
            counted = without_credentials(counted)
            return structs.replace(counted, key=key(recorded_request(counted)))
        made, report = anonymised(counted, self._rules)
        # What is anonymised has the key of what is asked in clear.
        return structs.replace(made, key=key(recorded_request(counted, kinds=report.kinds)))


def recorder(settings: RecordSettings, counters: WorkerCounters | None) -> Recorder | None:
    """What records as a configuration says; None if it says nothing. Raises ModuleNotFoundError
    where a package is missing."""
    if settings.path is None:
        return None
    rules = None if settings.anonymise == "off" else AnonymiseRules(settings.anonymise)
    writer = RecordingWriter(Path(settings.path), max_size=settings.max_bytes)
    return Recorder(writer, rules, counters)


def prepare(settings: RecordSettings) -> None:
    """Have everything ready before there are processes that record. Raises OSError for a folder
    that cannot be written to."""
    if settings.path is None:
        return
    folder = Path(settings.path)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    encoding(TOKENIZER)


def with_tokens(recording: Recording) -> Recording:
    """The recording with its usage, the tokens of its frames, and the answer's id. What is complete
    is whole, also if its client left before the response's own end."""
    response = recording.response
    encode = encoding(TOKENIZER).encode_ordinary
    frames = FrameTokens(lambda text: len(encode(text)))
    content = response.content
    correlation = recording.correlation
    name = answer_id(content)
    left = response.end is ResponseEnd.LEFT
    return structs.replace(
        recording,
        usage=usage(content),
        correlation=correlation | {"answer": name} if name else correlation,
        response=structs.replace(
            response,
            frames=[
                structs.replace(frame, tokens=frames.of(frame.body.content))
                for frame in response.frames
            ]
            if recording.stream
            else response.frames,
            end=ResponseEnd.WHOLE if left and complete(content) else response.end,
        ),
    )


def _size(recording: Recording) -> int:
    frames = sum(
        len(frame.body.text) + len(frame.body.base64) for frame in recording.response.frames
    )
    return frames + len(recording.request.body.text) + len(recording.request.body.base64) + 4096
