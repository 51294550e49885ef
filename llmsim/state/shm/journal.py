"""What the workers remember: one append-only ring a slot, readable by every process.

Layout of a journal, in bytes:

    0       header, int64: entries ever numbered, bytes ever written to either ring, and the number
            of the first entry that is shown
    64      the index: :data:`RECORDS` records of fixed size, used in turn
    …       the ring: requests and responses, one entry after another, oldest overwritten
    …       a second ring of the same size: what is known of some of them at their end

An entry's mark (26 hex digits: 3 of its slot, 10 of its number, 13 of the launch's own) lets any
process find it without a search, and a mark of another launch finds nothing. The owner writes
without a lock: a record's check word first and its number last. A reader wants both to fit
before it reads, when it has read and when it has copied, so it never takes half of one record for
another.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from llmsim.core.errors import Failure, FailureKind
from llmsim.core.state import Caller
from llmsim.core.value import Value
from llmsim.state.shm.layout import KINDS

RECORDS = 8192
NO_TOKENS = (0, 0, 0, 0)
NO_TAGS = ["", "", "", ""]
NOWHERE = -1
MARK_DIGITS = 26
NAMES = 1024
NAME_BYTES = 512
MOST_TAG = 128
"""Characters of an id by which others know a request."""
LARGE = 1 << 16
"""Bytes from which it takes longer to join them than to write them one by one."""
SLICE = 1 << 17
"""Bytes that are written at a time: memory that is used for the first time is slow."""

# check word, start in the ring, body length, answer length, arrival (Unix, s), planned ttft,
# planned total; then what is known at the end: actual first token, actual end, worst lateness (all
# s after arrival, −1 until known), frames sent, status, prompt, completion, reasoning and cached
# tokens; then arrival lag, worst output lag and delivery lateness seen (s, −1 if none was), frames
# planned, whether it is streamed, seed, name length; then length of the tags, code of the failure,
# where the details are and their length; number + 1
_RECORD = struct.Struct("=QQIIddd dddIiIIII fff IBqI IBQI Q")
_RECORD_BYTES = 192
_PLANNED = struct.Struct("=dd")
_PLANNED_AT = struct.calcsize("=QQIId")
_END = struct.Struct("=dddIiIIII")
_END_AT = struct.calcsize("=QQIIddd")
_ENDED = struct.Struct("=d")
_ENDED_AT = _END_AT + struct.calcsize("=d")
_STORED = struct.Struct("=Q")
_STORED_AT = _RECORD.size - struct.calcsize("=Q")
_FAILURE = struct.Struct("=BQI")
_FAILURE_AT = struct.calcsize("=QQIIddd dddIiIIII fff IBqI I")
_UNKNOWN = (-1.0, -1.0, -1.0, 0, 0, *NO_TOKENS)
_OUTPUT = struct.Struct("=ff")
_OUTPUT_AT = struct.calcsize("=QQIIddd dddIiIIII f")
_HEADER = 64
_RING = _HEADER + RECORDS * _RECORD_BYTES
_CHECK = (1 << 52) - 1


def size(ring: int) -> int:
    """Bytes of a journal whose rings hold ``ring`` bytes each, whole pages."""
    return -(-(_RING + 2 * ring) // 4096) * 4096


_CODES = {kind: 1 + 2 * index for index, kind in enumerate(KINDS)}


def code(failure: Failure | None) -> int:
    """A failure as one byte: its kind, and whether it was injected; 0 for none."""
    return 0 if failure is None else _CODES[failure.kind] + failure.injected


def tags(caller: Caller | None, mock: str, scope: str = "") -> bytes:
    """By what others know a request: the ids that its client sent, the label of its scope, and
    what answered it."""
    if caller is None:
        request_id = traceparent = None
    else:
        request_id, traceparent = caller.header("x-request-id"), caller.header("traceparent")
    if request_id is None and traceparent is None and not mock and not scope:
        return b""
    ids = f"{(request_id or '')[:MOST_TAG]}\0{(traceparent or '')[:MOST_TAG]}\0{scope}"
    return f"{ids}\0{mock[:NAME_BYTES]}".encode(errors="replace")


class JournalEntry(Value, frozen=True, gc=False):
    """One remembered request. Times in seconds; actual ones, ``first`` the one of the first token,
    are None until known. ``tokens`` are those that were sent: prompt, completion, reasoning and
    cached ones."""

    mark: str
    endpoint: str
    model: str
    arrived: float
    status: int
    seed: int
    planned_ttft: float
    planned_total: float
    first: float | None
    end: float | None
    lateness: float | None
    arrival_lag: float
    output_lag: float | None
    delivery_lateness: float | None
    frames: int
    sent: int
    body: bytes
    answer: bytes
    streamed: bool = False
    tokens: tuple[int, int, int, int] = NO_TOKENS
    request_id: str = ""
    traceparent: str = ""
    mock: str = ""
    failure: FailureKind | None = None
    injected: bool = False
    details: bytes = b""
    scope: str = ""


class Journal:
    """One slot's journal. Only its owner writes."""

    def __init__(self, memory: memoryview, slot: int, secret: int) -> None:
        self._memory = memory
        self._header = memory[:_HEADER].cast("q")
        self._room = (len(memory) - _RING) // 2
        self._ring = memory[_RING : _RING + self._room]
        self._details = memory[_RING + self._room :]
        self._names: dict[tuple[str, str], bytes] = {}
        self._check = secret & _CHECK
        self._mark_start = f"{slot:03x}"
        self._mark_end = f"{self._check:013x}"

    def reserve(self) -> int:
        """The number of the next entry."""
        number = self._header[0]
        self._header[0] = number + 1
        return number

    def mark(self, number: int) -> str:
        """The mark of that entry: what ids are made of."""
        return f"{self._mark_start}{number:010x}{self._mark_end}"

    def begin(
        self,
        number: int,
        endpoint: str,
        model: str,
        body: bytes,
        arrived: float,
        planned: tuple[float, float],
        frames: int,
        seed: int,
        answer: bytes = b"",
        arrival_lag: float = 0.0,
        streamed: bool = False,
        tags: bytes = b"",
        place: int = NOWHERE,
    ) -> None:
        """Remember request ``number``, which is about to be answered.

        ``planned`` is TTFT and total in seconds, ``arrival_lag`` how many seconds after its arrival
        it could be looked at. A body or answer that is too large for the ring is left out.
        ``tags`` are those of :func:`tags`, ``place`` is where :meth:`written` put them all.
        """
        name = self._names.get((endpoint, model)) or self._name(endpoint, model)
        name_length = len(name)
        if tags:
            name += tags
        length = len(name) + len(body) + len(answer)
        if length * 4 > self._room:
            length, body, answer = len(name), b"", b""
        start = self._put(name, body, answer, length) if place == NOWHERE else place
        at = _HEADER + number % RECORDS * _RECORD_BYTES
        _RECORD.pack_into(
            self._memory, at,
            number ^ self._check, start, len(body), len(answer), arrived, planned[0], planned[1],
            *_UNKNOWN,
            arrival_lag, -1.0, -1.0, frames, streamed, seed, name_length, len(tags),
            0, 0, 0, number + 1,
        )  # fmt: skip

    def _put(self, name: bytes, body: bytes, answer: bytes, length: int) -> int:
        """Where in the ring these are from now on, which have so many bytes together."""
        start = self._claim(length)
        offset = start % self._room
        if length > LARGE:
            self._write(offset, name, body, answer)
        else:
            self._ring[offset : offset + length] = name + body + answer if answer else name + body
        return start

    def written(
        self, endpoint: str, model: str, tags: bytes, body: bytes, answer: bytes
    ) -> Iterator[int]:
        """Write what is large before its request begins, in slices with time for others between.
        Gives its place, once a slice; nothing if it is too large for the ring."""
        name = (self._names.get((endpoint, model)) or self._name(endpoint, model)) + tags
        length = len(name) + len(body) + len(answer)
        if length * 4 > self._room:
            return
        start = self._claim(length)
        offset = start % self._room
        for piece in (name, body, answer):
            for begin in range(0, len(piece), SLICE):
                if self._header[1] - start > self._room:  # others have gone round the ring
                    return
                self._write(offset, piece[begin : begin + SLICE])
                offset += min(len(piece) - begin, SLICE)
                yield start

    def _claim(self, length: int) -> int:
        """Where the next bytes of the ring are that are in a row."""
        start: int = self._header[1]
        offset = start % self._room
        if offset + length > self._room:
            start += self._room - offset
        self._header[1] = start + length
        return start

    def _write(self, offset: int, *pieces: bytes) -> None:
        for piece in pieces:
            self._ring[offset : offset + len(piece)] = piece
            offset += len(piece)

    def _name(self, endpoint: str, model: str) -> bytes:
        if len(self._names) >= NAMES:
            self._names.clear()
        name = f"{endpoint}\0{model}".encode()[:NAME_BYTES]
        self._names[endpoint, model] = name
        return name

    def end(
        self,
        number: int,
        status: int,
        first: float,
        end: float,
        lateness: float,
        sent: int,
        tokens: tuple[int, int, int, int] = NO_TOKENS,
        failure: int = 0,
        details: bytes = b"",
    ) -> None:
        """Remember how the answer to request ``number`` really went, if it is still there.
        ``failure`` is its :func:`code`; ``details`` too large for their ring are left out."""
        if number < self._header[0] - RECORDS:
            return
        at = _HEADER + number % RECORDS * _RECORD_BYTES
        if failure or details:
            if len(details) * 4 > self._room:
                details = b""
            start, length = self._put_details(details), len(details)
            _FAILURE.pack_into(self._memory, at + _FAILURE_AT, failure, start, length)
        _END.pack_into(self._memory, at + _END_AT, first, end, lateness, sent, status, *tokens)

    def _put_details(self, details: bytes) -> int:
        """Where in the second ring they are from now on."""
        header, length = self._header, len(details)
        start = header[2]
        offset = start % self._room
        if offset + length > self._room:
            start += self._room - offset
            offset = 0
        header[2] = start + length
        self._details[offset : offset + length] = details
        return start

    def output(self, number: int, lag: float, late: float) -> None:
        """Remember that a frame of the answer to request ``number`` was with the kernel ``lag``
        seconds after it had left, ``late`` after it was due, if the request is still there; the
        longest of each is kept."""
        if number < self._header[0] - RECORDS:
            return
        at = _HEADER + number % RECORDS * _RECORD_BYTES + _OUTPUT_AT
        before = _OUTPUT.unpack_from(self._memory, at)
        _OUTPUT.pack_into(self._memory, at, max(lag, before[0]), max(late, before[1]))

    def replan(self, number: int, ttft: float, total: float) -> None:
        """Remember other planned times (seconds), if the request is still there."""
        if number >= self._header[0] - RECORDS:
            at = _HEADER + number % RECORDS * _RECORD_BYTES
            _PLANNED.pack_into(self._memory, at + _PLANNED_AT, ttft, total)

    @property
    def reserved(self) -> int:
        """How many requests there have been: the number of the next one."""
        return self._header[0]

    def ended(self, number: int) -> bool | None:
        """Whether that request has ended; None where there is none, or not any more."""
        at = _HEADER + number % RECORDS * _RECORD_BYTES
        (end,) = _ENDED.unpack_from(self._memory, at + _ENDED_AT)
        (stored,) = _STORED.unpack_from(self._memory, at + _STORED_AT)
        return end >= 0 if stored == number + 1 else None

    def find(self, mark: str) -> JournalEntry | None:
        """The entry of that mark, unless it has been overwritten or is of another launch."""
        return self._read(number_of(mark), mark)

    def latest(
        self, limit: int, contents: bool = True, before: int | None = None, least: int = 0
    ) -> Iterator[JournalEntry]:
        """The newest entries, newest first; without body, answer and details if ``contents`` is
        false. Those numbered below ``before``, at least ``least``, are looked at."""
        last = self._header[0]
        oldest = max(0, last - RECORDS, least)
        begin = last if before is None else min(before, last)
        for number in range(begin - 1, max(oldest, begin - limit) - 1, -1):
            entry = self._read(number, self.mark(number), contents)
            if entry is not None:
                yield entry

    @property
    def cleared(self) -> int:
        """The number of the first entry that may be shown."""
        return self._header[3]

    def clear(self) -> None:
        """Show no entry any more that there is now; by any process. What clients stored is still
        found by its id."""
        self._header[3] = self._header[0]

    def _read(self, number: int, mark: str, contents: bool = True) -> JournalEntry | None:
        at = _HEADER + number % RECORDS * _RECORD_BYTES
        fits = (number ^ self._check, number + 1)
        # A reader that follows the writer through a record finds both to fit when it ends, whatever
        # it has read before: the words it keeps are read once the record is known to be whole.
        before = _RECORD.unpack_from(self._memory, at)
        record = _RECORD.unpack_from(self._memory, at)
        (check, start, body, answer, arrived, ttft, total,
         first, end, late, sent, status, *tokens,
         arrival_lag, output, delivery, frames, streamed, seed, name,
         tags, failure, details_start, details, stored) = record  # fmt: skip
        if (before[0], before[-1]) != fits or (check, stored) != fits or self.mark(number) != mark:
            return None
        offset = start % self._room
        if not contents:
            body = answer = details = 0
        tagged = name + tags
        copied = bytes(self._ring[offset : offset + tagged + body + answer])
        kept = b""
        if details:
            offset = details_start % self._room
            kept = bytes(self._details[offset : offset + details])
            if self._header[2] - details_start > self._room:
                kept = b""
        again = _RECORD.unpack_from(self._memory, at)
        overwritten = self._header[1] - start > self._room
        if overwritten or (again[0], again[-1]) != fits:
            return None
        endpoint, _, model = copied[:name].decode(errors="replace").partition("\0")
        ids = copied[name:tagged].decode(errors="replace").split("\0", 3) if tags else NO_TAGS
        kind = KINDS[(failure - 1) // 2] if failure else None
        return JournalEntry(
            mark, endpoint, model, arrived, status, seed, ttft, total,
            first if first >= 0 else None, end if end >= 0 else None, late if late >= 0 else None,
            arrival_lag, output if output >= 0 else None, delivery if delivery >= 0 else None,
            frames, sent,
            copied[tagged : tagged + body], copied[tagged + body :], streamed == 1,
            (tokens[0], tokens[1], tokens[2], tokens[3]), ids[0], ids[1], ids[3],
            kind, failure > 0 and failure % 2 == 0, kept, ids[2],
        )  # fmt: skip


def number_of(mark: str) -> int:
    """The number of an entry in its slot's journal."""
    return int(mark[3:13], 16)


def slot_of(text: str) -> tuple[int, str] | None:
    """Slot and mark named by an id such as ``chatcmpl-…``, ``req_…`` or a UUID; None if it is
    none."""
    mark = text.replace("-", "")[-MARK_DIGITS:]
    if len(mark) < MARK_DIGITS or not set(mark) <= set("0123456789abcdef"):
        return None
    return int(mark[:3], 16), mark
