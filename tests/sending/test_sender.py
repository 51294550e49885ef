"""What leaves, and what is measured of the answers."""

from msgspec import structs

from llmsim.sending import report
from llmsim.sending.requests import Known, of_recordings
from llmsim.sending.sender import Answer, FirstToken, SendingProgress, SendSettings, sent_headers
from tests.recordings.samples import recording

ASKED = of_recordings([recording()])[0]


def test_the_key_goes_where_its_provider_looks_for_it() -> None:
    settings = SendSettings("http://x", key="secret", headers=(("x-team", "a"),))
    for provider, expected in (
        ("openai", ("authorization", "Bearer secret")),
        ("anthropic", ("x-api-key", "secret")),
        ("gemini", ("x-goog-api-key", "secret")),
    ):
        made = sent_headers(structs.replace(ASKED, provider=provider), settings)
        assert expected in made
        assert ("x-team", "a") in made
        assert ("content-type", "application/json") in made


def test_headers_of_one_connection_stay_behind_and_own_ones_count() -> None:
    recorded = [("host", "a"), ("connection", "close"), ("content-length", "3"), ("x-a", "old")]
    settings = SendSettings("http://x", headers=(("x-a", "new"),))
    made = sent_headers(structs.replace(ASKED, headers=recorded), settings)
    assert made == [("accept-encoding", "identity"), ("x-a", "new")]


def test_the_first_token_is_in_the_part_that_ends_its_event() -> None:
    first = FirstToken()
    parts = [
        b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"Hi"}}]}',
        b"\n\n",
    ]
    assert [first.in_(part) for part in parts] == [False, False, True]


def test_a_report_has_what_was_measured_beside_what_was_recorded() -> None:
    asked = structs.replace(ASKED, before=Known(200, 0.1, 0.5, 9, 5))
    answers = [
        Answer(asked, 0.001, 200, "", 0.2, 1.0, 9, 5),
        Answer(asked, 0.003, 429, "", None, 0.1),
        Answer(asked, 0.002, 200, "ReadError", 0.2, 0.3),
    ]
    found = report.report(answers, SendingProgress(sent=4, most_open=3), 2.0)
    assert (found["sent"], found["answered"], found["failed"]) == (4, 1, 2)
    assert (found["unanswered"], found["requests_per_second"]) == (1, 2.0)
    assert found["statuses"] == {"200": 2, "429": 1}
    assert found["problems"] == {"ReadError": 1}
    assert (found["status_as_recorded"], found["status_other"]) == (2, 1)
    assert (found["ttft_ms"]["p50"], found["total_ms"]["p99"]) == (200, 1000)
    assert found["itl_ms"]["mean"] == 200
    assert found["recorded"]["itl_ms"]["mean"] == 100
    assert found["late_ms"]["max"] == 3
    labels = [row[0] for row in report.rows(found)]
    assert labels == [
        "LATE", "TTFT", "  recorded", "TOTAL", "  recorded", "ITL", "  recorded",
    ]  # fmt: skip
    failures = "2 failed (429: 1, ReadError: 1), 1 left without an answer"
    assert f"1 answered, {failures}" in report.summary(found)


def test_a_report_of_nothing() -> None:
    found = report.report([], SendingProgress(), 0.0)
    assert found["ttft_ms"] is None
    assert report.rows(found) == []
