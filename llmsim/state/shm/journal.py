"""What the workers remember: one append-only ring a slot, readable by every process.

Layout of a journal, in bytes:

    0       header, int64: entries ever numbered, bytes ever written
    64      the index: :data:`RECORDS` records of fixed size, used in turn
    …       the ring: requests and responses, one entry after another, oldest overwritten

An entry's mark (26 hex digits: 3 of its slot, 10 of its number, 13 of the launch's own) lets any
process find it without a search, and a mark of another launch finds nothing. The owner writes
without a lock: a record's check word first and its number last. A reader wants both to fit
before it reads, when it has read and when it has copied, so it never takes half of one record for
another.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from llmsim.core.value import Value

RECORDS = 8192
NO_TOKENS = (0, 0, 0, 0)
MARK_DIGITS = 26
NAMES = 1024
NAME_BYTES = 512
LARGE = 1 << 16
"""Bytes from which it takes longer to join them than to write them one by one."""

# check word, start in the ring, body length, answer length, arrival (Unix, s), planned ttft,
# planned total; then what is known at the end: actual first token, actual end, worst lateness (all
# s after arrival, −1 until known), frames sent, status, prompt, completion, reasoning and cached
# tokens; then arrival lag, worst output lag and delivery lateness seen (s, −1 if none was), frames
# planned, whether it is streamed, seed, name length, number + 1
_RECORD = struct.Struct("=QQIIddd dddIiIIII fff IBqI Q")
_RECORD_BYTES = 192
_PLANNED = struct.Struct("=dd")
_PLANNED_AT = struct.calcsize("=QQIId")
_END = struct.Struct("=dddIiIIII")
_END_AT = struct.calcsize("=QQIIddd")
_UNKNOWN = (-1.0, -1.0, -1.0, 0, 0, *NO_TOKENS)
_OUTPUT = struct.Struct("=ff")
_OUTPUT_AT = struct.calcsize("=QQIIddd dddIiIIII f")
_HEADER = 64
_RING = _HEADER + RECORDS * _RECORD_BYTES
_CHECK = (1 << 52) - 1


def size(ring: int) -> int:
    """Bytes of a journal whose ring holds ``ring`` bytes, whole pages."""
    return -(-(_RING + ring) // 4096) * 4096


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


class Journal:
    """One slot's journal. Only its owner writes."""

    def __init__(self, memory: memoryview, slot: int, secret: int) -> None:
        self._memory = memory
        self._header = memory[:_HEADER].cast("q")
        self._ring = memory[_RING:]
        self._room = len(self._ring)
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
    ) -> None:
        """Remember request ``number``, which is about to be answered.

        ``planned`` is TTFT and total in seconds, ``arrival_lag`` how many seconds after its arrival
        it could be looked at. A body or answer that is too large for the
        ring is left out.
        """
        header = self._header
        name = self._names.get((endpoint, model)) or self._name(endpoint, model)
        length = len(name) + len(body) + len(answer)
        if length * 4 > self._room:
            length, body, answer = len(name), b"", b""
        start = header[1]
        offset = start % self._room
        if offset + length > self._room:
            start += self._room - offset
            offset = 0
        header[1] = start + length
        if length > LARGE:
            self._write(offset, name, body, answer)
        else:
            self._ring[offset : offset + length] = name + body + answer if answer else name + body
        _RECORD.pack_into(
            self._memory,
            _HEADER + number % RECORDS * _RECORD_BYTES,
            number ^ self._check,
            start,
            len(body),
            len(answer),
            arrived,
            planned[0],
            planned[1],
            *_UNKNOWN,
            arrival_lag,
            -1.0,
            -1.0,
            frames,
            streamed,
            seed,
            len(name),
            number + 1,
        )

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
    ) -> None:
        """Remember how the answer to request ``number`` really went, if it is still there."""
        if number < self._header[0] - RECORDS:
            return
        at = _HEADER + number % RECORDS * _RECORD_BYTES
        _END.pack_into(self._memory, at + _END_AT, first, end, lateness, sent, status, *tokens)

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

    def find(self, mark: str) -> JournalEntry | None:
        """The entry of that mark, unless it has been overwritten or is of another launch."""
        return self._read(int(mark[3:13], 16), mark)

    def latest(self, limit: int, contents: bool = True) -> Iterator[JournalEntry]:
        """The newest entries, newest first; without body and answer if ``contents`` is false."""
        last = self._header[0]
        for number in range(last - 1, max(-1, last - 1 - min(limit, RECORDS)), -1):
            entry = self._read(number, self.mark(number), contents)
            if entry is not None:
                yield entry

    def _read(self, number: int, mark: str, contents: bool = True) -> JournalEntry | None:
        at = _HEADER + number % RECORDS * _RECORD_BYTES
        fits = (number ^ self._check, number + 1)
        # A reader that follows the writer through a record finds both to fit when it ends, whatever
        # it has read before: the words it keeps are read once the record is known to be whole.
        before = _RECORD.unpack_from(self._memory, at)
        record = _RECORD.unpack_from(self._memory, at)
        (check, start, body, answer, arrived, ttft, total,
         first, end, late, sent, status, *tokens,
         arrival_lag, output, delivery, frames, streamed, seed, name, stored) = record  # fmt: skip
        if (before[0], before[-1]) != fits or (check, stored) != fits or self.mark(number) != mark:
            return None
        offset = start % self._room
        if not contents:
            body = answer = 0
        copied = bytes(self._ring[offset : offset + name + body + answer])
        again = _RECORD.unpack_from(self._memory, at)
        overwritten = self._header[1] - start > self._room
        if overwritten or (again[0], again[-1]) != fits:
            return None
        endpoint, _, model = copied[:name].decode(errors="replace").partition("\0")
        return JournalEntry(
            mark, endpoint, model, arrived, status, seed, ttft, total,
            first if first >= 0 else None, end if end >= 0 else None, late if late >= 0 else None,
            arrival_lag, output if output >= 0 else None, delivery if delivery >= 0 else None,
            frames, sent,
            copied[name : name + body], copied[name + body :], streamed == 1,
            (tokens[0], tokens[1], tokens[2], tokens[3]),
        )  # fmt: skip


def slot_of(text: str) -> tuple[int, str] | None:
    """Slot and mark named by an id such as ``chatcmpl-…`` or ``req_…``; None if it is none."""
    mark = text[-MARK_DIGITS:]
    if len(mark) < MARK_DIGITS or not set(mark) <= set("0123456789abcdef"):
        return None
    return int(mark[:3], 16), mark
