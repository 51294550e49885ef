"""Recordings as rows."""

import pytest
from msgspec import structs

from llmsim.recordings.recording import RecordedFrame, RecordedResponse, ResponseEnd
from llmsim.recordings.rows import row
from tests.recordings.samples import recording


def test_a_stream() -> None:
    frames = [
        RecordedFrame(at=0.1),
        RecordedFrame(at=0.3, tokens=1),
        RecordedFrame(at=0.5, tokens=3),
        RecordedFrame(at=0.6),
        RecordedFrame(at=0.9, tokens=2),
    ]
    one = recording(0, usage=None, response=RecordedResponse(status=200, frames=frames, ended=1.0))
    found = row(one)
    assert (found.ttft, found.total, found.output_tokens) == (0.3, 1.0, 6)
    assert found.gaps == pytest.approx((0.2, 0.4))
    assert found.gap_tokens == (3, 2)
    assert not found.failed


def test_a_plain_answer_has_no_ttft() -> None:
    found = row(structs.replace(recording(), stream=False))
    assert found.ttft is None
    assert not found.gaps
    assert (found.prompt_tokens, found.output_tokens, found.in_flight) == (9, 2, 2)


@pytest.mark.parametrize(
    ("status", "end"), [(500, ResponseEnd.WHOLE), (200, ResponseEnd.CUT), (0, ResponseEnd.TIMEOUT)]
)
def test_failures(status: int, end: ResponseEnd) -> None:
    response = RecordedResponse(status=status, end=end, ended=1.0)
    assert row(recording(0, response=response)).failed
