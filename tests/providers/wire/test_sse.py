"""Framing and frames that share their bytes."""

import numpy as np
import pytest

from llmsim.core import END
from llmsim.providers.wire.sse import CRLF_EVENTS, JSON_ARRAY, Spliced, beats_of, event

TAILS = [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [(None, b'data: {"a":1}\n\n'), (b"ping", b'event: ping\ndata: {"a":1}\n\n')],
)
def test_an_event_ends_with_an_empty_line(name, expected):
    assert event(b'{"a":1}', name) == expected


@pytest.mark.parametrize("tails", [TAILS, TAILS[:1], []])
@pytest.mark.parametrize("closing", [b"", b"the end"])
@pytest.mark.parametrize("opening", [b"", b"["])
def test_joined_frames_are_the_single_ones(tails, closing, opening):
    frames = Spliced(b"> ", tails, closing, opening)
    single = [frames[place] for place in range(len(frames))]
    for start in range(len(frames)):
        for stop in range(start + 1, len(frames) + 1):
            assert frames.join(start, stop) == b"".join(single[start:stop])


def test_what_is_around_a_stream_is_there_once():
    frames = Spliced(b"> ", TAILS, b"the end", b"[")
    assert [frames[place] for place in range(4)] == [b"[> one", b"> two", b"> three", b"the end"]


def test_frames_can_be_put_in_another_order():
    frames = Spliced(b"> ", TAILS, b"the end", b"[").reorder(np.array([2, 0, 1, 3]))
    assert frames.join(0, 4) == b"[> three> one> twothe end"


@pytest.mark.parametrize(
    ("framing", "expected"),
    [
        (CRLF_EVENTS, b"data: {1}\r\n\r\ndata: {2}\r\n\r\ndata: {3}\r\n\r\n"),
        (JSON_ARRAY, b"[{1}\n,\r\n{2}\n,\r\n{3}\n]"),
    ],
)
def test_a_framed_stream(framing, expected):
    tails = [b"{%d}" % number + framing.after for number in (1, 2)]
    closing = framing.before + b"{3}" + framing.last
    frames = Spliced(framing.before, tails, closing, framing.opening)
    assert frames.join(0, 3) == expected


def test_beats_of_a_choice():
    assert beats_of(range(3), 3, 1, 1, 1)[:].tolist() == [0, 0, 1, 2, 2, END]
    assert beats_of([0, 4], 5, 1, 1, 0)[:].tolist() == [0, 0, 4, 4]
    assert beats_of((), 1, 1, 1, 0)[:].tolist() == [0, 0]
