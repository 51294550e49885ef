"""Answers and journal, joined by ids where they are left, else by the marker in the prompt."""

from typing import Any

import pytest

from llmsim.overhead.joining import Joined, joined, marker, traceparent
from llmsim.overhead.journal import JournalReader, JournalRecord, WholeRecord
from tests.overhead.made import seen

RUN = "0a1b2c3d"


class Journal(JournalReader):
    """A journal of these requests; ``asked`` counts those that were looked at whole."""

    def __init__(self, *found: WholeRecord) -> None:
        self._found = found
        self.asked = 0

    def since(self, moment: float) -> list[JournalRecord]:
        return [one for one in self._found if one.arrived >= moment]

    def record(self, name: str) -> WholeRecord | None:
        self.asked += 1
        return next((one for one in self._found if one.id == name), None)


def remembered(number: int, **fields: Any) -> WholeRecord:
    known = {"id": f"{number:026x}", "arrived": float(number), "status": 200}
    return WholeRecord(**known | fields)


def ids(found: list[Joined]) -> list[list[int]]:
    return [[int(one.id, 16) for one in each.records] for each in found]


@pytest.mark.parametrize(
    "fields",
    [
        {"x_request_id": marker(RUN, 7)},
        {"traceparent": traceparent(RUN, 7)},
        {"x_request_id": "the gateway's", "traceparent": traceparent(RUN, 7)},
    ],
)
def test_the_headers_that_were_sent_join(fields: dict[str, str]) -> None:
    journal = Journal(remembered(1, **fields))
    assert ids(joined([seen(number=7)], journal, RUN, 0.0)) == [[1]]
    assert journal.asked == 0


def test_an_id_in_the_answer_joins_where_headers_are_stripped() -> None:
    journal = Journal(remembered(1, x_request_id="the gateway's"))
    assert ids(joined([seen(marks=("b" * 26, f"{1:026x}"))], journal, RUN, 0.0)) == [[1]]
    assert journal.asked == 0


def test_the_marker_in_the_prompt_joins_where_nothing_else_is_left() -> None:
    journal = Journal(remembered(1, marker=marker(RUN, 7)), remembered(2, marker=marker(RUN, 8)))
    assert ids(joined([seen(number=8), seen(number=7)], journal, RUN, 0.0)) == [[2], [1]]


def test_attempts_that_were_kept_from_the_client_are_found_in_order() -> None:
    journal = Journal(
        remembered(3, marker=marker(RUN, 7)),
        remembered(2, marker=marker(RUN, 7), status=503),
        remembered(1, traceparent=traceparent(RUN, 7), status=503),
    )
    found = joined([seen(number=7, marks=(f"{3:026x}",))], journal, RUN, 0.0)
    assert ids(found) == [[1, 2, 3]]


def test_requests_of_others_are_left_alone() -> None:
    journal = Journal(
        remembered(101, x_request_id=marker("ffffffff", 7), marker=marker(RUN, 7)),
        remembered(102, traceparent=traceparent("ffffffff", 7)),
        remembered(103, marker=marker("ffffffff", 7)),
        remembered(104),
        remembered(1, x_request_id=marker(RUN, 7)),
    )
    assert ids(joined([seen(number=7)], journal, RUN, 100.0)) == [[]]
