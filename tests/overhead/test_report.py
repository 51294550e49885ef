"""A report: its figures, its schema, its text, its page, its thresholds."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from llmsim.overhead import summary
from llmsim.overhead.figures import Percentiles
from llmsim.overhead.joining import Joined
from llmsim.overhead.page import page
from llmsim.overhead.report import (
    VERSION,
    FrameChanges,
    HeaderChanges,
    OverheadReport,
    Ramp,
    RampStep,
    schema,
)
from llmsim.overhead.run import keeps_up, ramp_rates
from llmsim.overhead.summary import SideResult
from llmsim.overhead.text import exceeded, limit_name, summary_text
from tests.overhead.made import one, record, seen

FILE = Path(__file__).parents[2] / "examples/overhead.schema.json"


def side(late: float, count: int = 200) -> SideResult:
    """Requests, ten a second, each so many seconds late both in TTFT and total."""
    found = SideResult(head_at_once=False)
    found.add([timed(at, late) for at in range(count)])
    return found


def timed(number: int, late: float) -> Joined:
    at = number / 10
    fields = {"head": 1.1, "first": 1.1 + late, "before_last": 1.9, "last": 2.0, "end": 2.0 + late}
    moved = {name: value + at for name, value in fields.items()}
    return one({"number": number, "due": at, "sent": at} | moved, arrived=at)


def report(**fields: Any) -> OverheadReport:
    through, direct = side(0.006), side(0.001)
    machine = summary.box(through, direct, 0.5, 0.95)
    mine = summary.side(through)
    made: dict[str, Any] = {
        "version": VERSION,
        "gateway": "http://127.0.0.1:4000",
        "upstream": "http://127.0.0.1:8080",
        "model": "<model>",
        "dialect": "openai_chat",
        "answers": "streams",
        "load": "10 requests/s",
        "started": 0.0,
        "duration_s": 40.0,
        "requests": mine.requests,
        "matched": mine.matched,
        "unmatched": mine.unmatched,
        "added": summary.added(through, direct),
        "simulator_late_ms": mine.simulator_late_ms,
        "client_late_ms": mine.client_late_ms,
        "tokens_per_read": mine.tokens_per_read,
        "simulator": summary.simulator_parts(through, direct),
        "errors": mine.errors,
        "retries": summary.retries(through),
        "headers": HeaderChanges(["via"], [], {"a": "x-a"}),
        "request_headers": HeaderChanges([], [], {}),
        "frames": FrameChanges(compared=2, same_bytes=1, changed=1, fields_added=["usage"]),
        "rate_ratio": 1.0,
        "box": machine,
        "through": mine,
        "direct": summary.side(direct),
        "ramp": None,
        "notes": summary.notes(through, direct, machine),
    }
    return OverheadReport(**made | fields)


def test_what_is_added_is_the_difference() -> None:
    added = report().added
    assert added.ttft_ms is not None
    assert added.total_ms is not None
    assert added.ttft_ms.p50 == pytest.approx(5.0)
    assert added.ttft_ms.p99 == pytest.approx(5.0)
    assert added.total_ms.ci is not None
    assert added.total_ms.ci["p50"] == pytest.approx((5.0, 5.0))


def test_a_report_has_the_documented_schema() -> None:
    encoded = json.loads(msgspec.json.encode(report()))
    jsonschema.validate(encoded, schema())
    assert {"requests", "matched", "unmatched", "added", "tokens_per_read"} <= encoded.keys()
    assert {"p50", "p90", "p99"} <= encoded["added"]["ttft_ms"].keys()


def test_the_schema_is_the_one_that_is_checked_in() -> None:
    """Write it again with ``python -m llmsim overhead --schema``."""
    assert json.loads(FILE.read_text()) == schema()


@pytest.mark.parametrize(
    ("late", "decides"), [((0.006, 0.001), False), ((0.0011, 0.001), True), ((0.001, 0.003), True)]
)
def test_the_box_decides_where_most_is_its_own(late: tuple[float, float], decides: bool) -> None:
    through, direct = side(late[0]), side(late[1])
    machine = summary.box(through, direct, 0.5, None)
    assert machine.decides is decides
    assert any("The box decides" in note for note in summary.notes(through, direct, machine)) is (
        decides
    )


def test_unmatched_few_and_retried_requests_are_said() -> None:
    found = SideResult(head_at_once=False)
    found.add([Joined(seen()), Joined(seen(), (record(status=503), record()))])
    text = "\n".join(summary.notes(found, found, summary.box(found, found, 1.0, 0.99)))
    for part in ("1 of 2 requests through the gateway are not in", "Only 0 requests", "99% busy"):
        assert part in text
    assert "1 requests that were retried" in text
    again = summary.retries(found)
    assert (again.requests, again.upstream, again.statuses) == (1, 1, {"503": 1})


@pytest.mark.parametrize(
    ("limits", "error_rate", "expected"),
    [
        ({}, None, []),
        ({"max-added-ttft-p99-ms": 5.5}, 0.0, []),
        ({"max-added-ttft-p99-ms": 4.5}, None, ["--max-added-ttft-p99-ms 4.5: 5.000 ms"]),
        ({"max-added-total-p50-ms": 1.0}, None, ["--max-added-total-p50-ms 1: 5.000 ms"]),
        ({}, -1.0, ["--max-error-rate -1: 0.0000"]),
    ],
)
def test_thresholds(
    limits: dict[str, float], error_rate: float | None, expected: list[str]
) -> None:
    assert exceeded(report(), limits, error_rate) == expected


def test_what_is_not_measured_is_above_every_threshold() -> None:
    added = msgspec.structs.replace(report().added, ttft_ms=None)
    limits = {limit_name("ttft_ms", "p50"): 1e9}
    assert exceeded(report(added=added), limits, None) == [
        "--max-added-ttft-p50-ms 1e+09: not measured"
    ]


def test_text_and_page_have_it_all() -> None:
    some = Percentiles(1.0, 2.0, 3.0)
    box = report().box
    step = RampStep(10.0, 9.9, 10.0, 0, 0, some, some, box, holds=False, direct_holds=True)
    found = report(ramp=Ramp([step], None, 10.0))
    text = summary_text(found)
    for part in (
        "5.000 (5.00…5.00)",
        "via",
        "a → x-a",
        "kept up with               no step, direct 10 requests/s",
        "usage",
        "200 of 200",
    ):
        assert part in text
    html = page(found, side(0.006), side(0.001))
    assert "&lt;model&gt;" in html
    assert "<model>" not in html
    assert html.count("<svg") >= 8
    assert "http://" not in html.replace("http://127.0.0.1", "")


def test_a_ramp_goes_up_by_half_and_ends_as_asked() -> None:
    assert ramp_rates(10, 40) == [10, 15, 22.5, 33.8, 40]
    assert ramp_rates(10, 10) == [10]


@pytest.mark.parametrize(
    ("stretch", "keeps"), [(1.0, True), (1.05, True), (1.3, False), (2.0, False)]
)
def test_keeping_up_is_answering_as_fast_as_is_sent(stretch: float, keeps: bool) -> None:
    found = SideResult(head_at_once=False)
    found.add([timed(at, (stretch - 1) * at / 10) for at in range(200)])
    assert keeps_up(found) is keeps


def test_failing_is_not_keeping_up() -> None:
    failing = SideResult(head_at_once=False)
    failing.add([timed(at, 0.0) for at in range(50)] + [Joined(seen(error="timeout"))])
    assert not keeps_up(failing)
    assert not keeps_up(SideResult(head_at_once=False))
