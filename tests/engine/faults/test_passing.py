"""What is done to an answer of another service while it passes."""

import pytest

from llmsim.core import ConnectionEnd
from llmsim.core.errors import Failure
from llmsim.core.faults import (
    Cut,
    ErrorEvent,
    FaultPoint,
    Malformed,
    Reset,
    Stall,
    Trickle,
    Unterminated,
)
from llmsim.engine.faults.fault_context import BROKEN
from llmsim.engine.faults.passing import PassingAnswer, PassingChanges

FRAMES = [b'data: {"a":1}\n\n', b'data: {"b":2}\n\n', b'data: {"c":3}\n\n', b"data: [DONE]\n\n"]
TIMES = [1.0, 1.5, 2.5, 2.5]
BODY = [b'{"answer":', b'"yes"}']


def event(failed: Failure, sent: int) -> bytes:
    return f"error {failed.kind.value} after {sent}".encode()


def count(frame: bytes) -> int:
    """A token in each frame but the last."""
    return int(b"{" in frame)


def passed(
    changes: PassingChanges, frames: list[bytes], times: list[float]
) -> tuple[PassingAnswer, list[tuple[bytes, float]]]:
    one = PassingAnswer(changes, count)
    sent = [
        piece
        for frame, at in zip(frames, times, strict=False)
        if not one.over
        for piece in one.shaped(frame, at)
    ]
    sent += one.rest(times[-1])
    return one, sent


def streamed(**changes: object) -> tuple[PassingAnswer, list[tuple[bytes, float]]]:
    made = PassingChanges(True, tokens=3, error_event=event, **changes)  # type: ignore[arg-type]
    return passed(made, FRAMES, TIMES)


def plain(**changes: object) -> tuple[PassingAnswer, list[tuple[bytes, float]]]:
    length = sum(map(len, BODY))
    made = PassingChanges(False, tokens=3, length=length, **changes)  # type: ignore[arg-type]
    return passed(made, BODY, [1.0, 1.0])


class Clock:
    """A token each 2 s from the first at 3 s on."""

    accept, first, last = 0.5, 3.0, 99.0

    def at(self, tokens: object) -> object:
        return 3.0 + 2.0 * tokens  # type: ignore[operator]

    def row(self, start: int, stop: int) -> object:
        raise AssertionError("nobody asks for a row")


def test_nothing_is_changed_that_need_not_be() -> None:
    assert not PassingChanges(True).needed
    one, sent = streamed()
    assert sent == list(zip(FRAMES, TIMES, strict=True))
    assert (one.over, one.ending, one.failure) == (False, None, None)


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"pace": 2.0}, [1.0, 2.0, 4.0, 4.0]),
        ({"pace": 0.5}, TIMES),  # nothing leaves before it came
        ({"delay": 3.0}, [3.0, 3.5, 4.5, 4.5]),
        ({"delay": 0.1}, TIMES),
        ({"clock": Clock()}, [3.0, 5.0, 7.0, 7.0]),
        ({"fault": Trickle(factor=10.0)}, [1.0, 6.0, 16.0, 16.0]),
        ({"fault": Stall(after=FaultPoint(1), lasts=4.0)}, [1.0, 5.5, 6.5, 6.5]),
    ],
)
def test_times_of_a_stream(changes: dict[str, object], times: list[float]) -> None:
    _, sent = streamed(**changes)
    assert [piece for piece, _ in sent] == FRAMES
    assert [due for _, due in sent] == times


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({"pace": 2.0}, [2.0, 2.0]),
        ({"pace": 2.0, "delay": 3.0}, [3.0, 3.0]),
        ({"clock": Clock()}, [7.0, 7.0]),
        ({"fault": Stall(after=FaultPoint(after_fraction=0.0), lasts=4.0)}, [5.0, 5.0]),
    ],
)
def test_times_of_a_plain_answer(changes: dict[str, object], times: list[float]) -> None:
    _, sent = plain(**changes)
    assert b"".join(piece for piece, _ in sent) == b"".join(BODY)
    assert [due for _, due in sent] == times


@pytest.mark.parametrize(
    ("fault", "frames", "ending"),
    [
        (Cut(after=FaultPoint(2)), FRAMES[:2], ConnectionEnd.CUT),
        (Cut(), FRAMES[:1], ConnectionEnd.CUT),
        (Cut(after=FaultPoint(99)), FRAMES, ConnectionEnd.CUT),
        (Reset(after=FaultPoint(0)), [], ConnectionEnd.RESET),
        (Unterminated(), FRAMES[:3], None),
        (Malformed(after=FaultPoint(1)), [FRAMES[0], b'data: {"b\n\n', *FRAMES[2:]], None),
    ],
)
def test_what_is_broken_of_a_stream(
    fault: object, frames: list[bytes], ending: ConnectionEnd | None
) -> None:
    one, sent = streamed(fault=fault)
    assert [piece for piece, _ in sent] == frames
    assert (one.ending, one.failure) == (ending, BROKEN)


def test_the_last_event_is_left_out_also_where_its_frame_has_more() -> None:
    changes = PassingChanges(True, fault=Unterminated())
    _, sent = passed(changes, [FRAMES[0], FRAMES[2] + FRAMES[3]], [1.0, 2.0])
    assert sent == [(FRAMES[0], 2.0), (FRAMES[2], 2.0)]


def test_an_error_event_takes_the_place_of_the_rest() -> None:
    one, sent = streamed(fault=ErrorEvent(after=FaultPoint(1)))
    assert [piece for piece, _ in sent] == [FRAMES[0], b"error overloaded after 1"]
    assert one.over
    assert one.failure is not None
    assert one.failure.injected
    assert plain(fault=ErrorEvent())[1] == [(BODY[0], 1.0), (BODY[1], 1.0)]


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        (Cut(), b'{"answer"'[:8]),
        (Cut(after=FaultPoint(after_fraction=0.7)), b'{"answer":"'),
        (Unterminated(), b'{"answer":"yes"'),
        (Malformed(after=FaultPoint(0)), b'{"ans"yes"}'),
    ],
)
def test_what_is_broken_of_a_plain_answer(fault: object, body: bytes) -> None:
    one, sent = plain(fault=fault)
    assert b"".join(piece for piece, _ in sent) == body
    assert one.failure is BROKEN


def test_a_trickle_comes_in_pieces() -> None:
    _, sent = passed(PassingChanges(True, Trickle(bytes=4, every=0.25)), [b"123456789"], [1.0])
    assert sent == [(b"1234", 1.0), (b"5678", 1.25), (b"9", 1.5)]
