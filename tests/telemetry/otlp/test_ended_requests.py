"""Each request once it has ended, and what is missed is counted."""

from itertools import pairwise

import pytest

from llmsim.state.shm.journal import RECORDS, Journal, size
from llmsim.telemetry.otlp.ended_requests import EndedRequests


@pytest.fixture
def journal() -> Journal:
    return Journal(memoryview(bytearray(size(1 << 20))), 0, 7)


def begun(journal: Journal, traceparent: str = "") -> int:
    number = journal.reserve()
    tags = f"\0{traceparent}\0\0".encode()
    journal.begin(number, "/x", "m", b"{}", 1.0, (0.0, 0.0), 1, 7, tags=tags)
    return number


def ended(journal: Journal, traceparent: str = "") -> int:
    number = begun(journal, traceparent)
    journal.end(number, 200, 0.1, 0.2, 0.0, 1)
    return number


def taken(requests: EndedRequests, journal: Journal, most: int = 100_000) -> list[int]:
    return [int(entry.mark[3:13], 16) for entry in requests.take(most)]


def test_each_is_given_once_when_it_has_ended(journal: Journal) -> None:
    ended(journal)
    requests = EndedRequests(journal, 1.0)
    first, second = begun(journal), ended(journal)
    assert taken(requests, journal) == [second]
    assert taken(requests, journal) == []
    journal.end(first, 200, 0.1, 0.2, 0.0, 1)
    third = ended(journal)
    assert taken(requests, journal) == [first, third]
    assert requests.dropped == 0


def test_the_others_come_later(journal: Journal) -> None:
    requests = EndedRequests(journal, 1.0)
    numbers = [ended(journal) for _ in range(5)]
    assert taken(requests, journal, 3) == numbers[:3]
    assert taken(requests, journal, 3) == numbers[3:]


@pytest.mark.parametrize(("share", "count"), [(1.0, 40), (0.25, 10), (0.0, 0)])
def test_a_share_evenly_spread(journal: Journal, share: float, count: int) -> None:
    requests = EndedRequests(journal, share)
    for _ in range(40):
        ended(journal)
    numbers = taken(requests, journal)
    assert len(numbers) == count
    assert len({after - before for before, after in pairwise(numbers)}) <= 1


def test_not_those_whose_trace_nobody_keeps(journal: Journal) -> None:
    requests = EndedRequests(journal, 1.0)
    trace = f"00-{'a' * 32}-{'b' * 16}-"
    for flags in ("00", "02"):
        ended(journal, trace + flags)
    kept = [ended(journal, trace + flags) for flags in ("01", "03", "x")]
    assert taken(requests, journal) == kept
    assert requests.dropped == 0


def test_what_the_journal_forgets_first_is_counted(journal: Journal) -> None:
    requests = EndedRequests(journal, 1.0)
    begun(journal)
    assert taken(requests, journal) == []
    journal.reserve()  # its client left before anything was planned: there is no such request
    for _ in range(RECORDS + 50):
        ended(journal)
    assert len(taken(requests, journal)) == RECORDS
    assert requests.dropped == 1 + 51


def test_what_never_was_planned_is_not_missed(journal: Journal) -> None:
    requests = EndedRequests(journal, 1.0)
    for _ in range(3):
        journal.reserve()
    assert taken(requests, journal) == []
    for _ in range(RECORDS):
        ended(journal)
    assert len(taken(requests, journal)) == RECORDS
    assert requests.dropped == 0
