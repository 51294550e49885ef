"""What is remembered of a request beside its record: why it was answered as it was, and how its
frames left. Kept as MessagePack, a list of the fields in their order."""

from __future__ import annotations

from array import array

import msgspec


class RequestDetails(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """``url`` is path and query, ``headers`` and ``key`` are those of the request, secrets masked.

    ``answer`` begins what was sent, which has ``answer_bytes`` bytes. ``message`` is that of a
    failure; ``rule`` and ``override`` are what decided about it, empty where nothing did.
    ``limits`` are (key of the limit, limit, left before the request, left after it). ``due`` is
    when each frame was due, in µs after arrival, and ``left`` are pairs: so many frames had left,
    µs after arrival; both are 32-bit numbers. ``finish_reasons`` says why each
    choice was to end.
    """

    url: str
    headers: list[tuple[str, str]]
    key: str
    response_headers: list[tuple[str, str]]
    answer: bytes
    answer_bytes: int
    message: str
    rule: str
    override: str
    recording: str
    limits: list[tuple[str, int, int, int]]
    due: bytes
    left: bytes
    finish_reasons: list[str] = []

    def due_times(self) -> list[float]:
        """When each frame was due, seconds after arrival; none for frames of which nobody knew."""
        return [at / 1e6 for at in _numbers(self.due)]

    def left_times(self) -> list[float]:
        """When each frame left, seconds after arrival. Those that left together have one time."""
        times: list[float] = []
        numbers = _numbers(self.left)
        for stop, at in zip(numbers[::2], numbers[1::2], strict=True):
            times += [at / 1e6] * (stop - len(times))
        return times


def encoded(details: RequestDetails) -> bytes:
    """The details as bytes."""
    return _encoder.encode(details)


def decoded(details: bytes) -> RequestDetails | None:
    """The details that these bytes are; None for none."""
    return _decoder.decode(details) if details else None


def _numbers(packed: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(packed)
    return numbers


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RequestDetails)
