"""Answers and journal, joined by ids where they are left, else by the marker in the prompt."""

from typing import Any

from llmsim.overhead.joining import joined, marker
from llmsim.overhead.journal import JournalReader, JournalRecord
from tests.overhead.made import record, seen

RUN = "0a1b2c3d"


class Journal(JournalReader):
    """A journal of these requests and their prompts; a listing has ``listed`` of them."""

    def __init__(self, found: list[tuple[JournalRecord, str]], listed: int = 1000) -> None:
        self._found = found
        self._listed = listed

    def since(self, moment: float) -> tuple[list[JournalRecord], bool]:
        records = [one for one, _ in self._found if one.arrived >= moment]
        return records[: self._listed], len(records) <= self._listed

    def record(self, name: str) -> tuple[JournalRecord, Any] | None:
        for one, prompt in self._found:
            if one.id == name:
                return one, {"messages": [{"content": prompt}]}
        return None


def remembered(number: int, of: int, **fields: Any) -> tuple[JournalRecord, str]:
    made = record(id=f"{number:026x}", arrived=float(number), **fields)
    return made, f"[{marker(RUN, of)}] hello"


def test_an_id_in_the_answer_is_enough() -> None:
    journal = Journal([(record(id="a" * 26), "no marker")])
    (found,) = joined([seen(marks=("b" * 26, "a" * 26))], journal, RUN, 0.0)
    assert [one.id for one in found.records] == ["a" * 26]


def test_without_ids_the_marker_joins() -> None:
    journal = Journal([remembered(1, of=7), remembered(2, of=8)])
    found = joined([seen(number=8), seen(number=7)], journal, RUN, 0.0)
    assert [[one.id for one in each.records] for each in found] == [[f"{2:026x}"], [f"{1:026x}"]]


def test_attempts_that_were_kept_from_the_client_are_found_in_order() -> None:
    journal = Journal(
        [remembered(3, of=7), remembered(2, of=7, status=503), remembered(1, of=7, status=503)]
    )
    (found,) = joined([seen(number=7, marks=(f"{3:026x}",))], journal, RUN, 0.0)
    assert [one.status for one in found.records] == [503, 503, 200]


def test_requests_of_others_are_left_alone() -> None:
    other = (record(id="c" * 26), f"[{marker('ffffffff', 7)}]")
    early = remembered(1, of=7)
    journal = Journal([other, early, (record(id="d" * 26), "hello")])
    (found,) = joined([seen(number=7)], journal, RUN, 100.0)
    assert found.records == ()


def test_more_than_a_listing_has_is_asked_for_by_id() -> None:
    journal = Journal([remembered(number, of=number) for number in range(20)], listed=5)
    answers = [seen(number=number, marks=(f"{number:026x}",)) for number in range(20)]
    assert all(len(one.records) == 1 for one in joined(answers, journal, RUN, 0.0))
