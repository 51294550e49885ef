"""The page's pure parts, run in the browser that runs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import Server
from tests.web.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DASH = "\N{EN DASH}"
NOTHING: dict[str, Any] = {"active": 0, "active_streaming": 0}


def stats(uptime: float, total: int, tokens: int = 0, **others: Any) -> dict[str, Any]:
    return {
        "uptime_s": uptime,
        "workers": [],
        "requests": {"total": total, "finished": total, "aborted": 0} | NOTHING,
        "errors": {"total": 0},
        "tokens": {"prompt": 0, "completion": tokens},
        "latency_ms": {"p50": 5},
        "ttft_ms": {},
        "lateness_ms": {},
    } | others


@pytest.fixture(scope="module")
def visit(browser: Browser, sim: Server) -> Iterator[Visit]:
    """One page for all: these tests only use its modules."""
    made = Visit(browser, sim.url)
    made.open()
    yield made
    made.close()
    assert made.complaints == []


HISTORY = """
const history = new it.History();
arg.forEach((stats, index) => history.add(stats, 1000 + index));
const names = ['requests_per_second', 'completion_tokens_per_second', 'latency_ms.p50'];
return names.map((name) => history.series(name));
"""


@pytest.mark.parametrize(
    ("documents", "requests", "completion"),
    [
        pytest.param(
            [stats(10, 100, 50), stats(12, 120, 150)], [None, 10], [None, 50], id="by its clock"
        ),
        pytest.param(
            [stats(10, 100), stats(1, 0), stats(2, 7)],
            [None, None, None, 7],
            [None, None, None, 0],
            id="restarted",
        ),
        pytest.param(
            [stats(10, 100), stats(11, 3)], [None, None, None], [None] * 3, id="fewer requests"
        ),
        pytest.param([stats(10, 100), stats(10.01, 101)], [None], [None], id="told twice"),
        pytest.param(
            [stats(10, 100, 9), stats(11, 101, 8)], [None, 1], [None, 0], id="never negative"
        ),
        pytest.param([stats(10, 1), stats(20, 11)], [None, None, 1], [None, None, 0], id="away"),
    ],
)
def test_rates(
    visit: Visit,
    documents: list[dict[str, Any]],
    requests: list[float | None],
    completion: list[float | None],
) -> None:
    series = visit.module("charts/history.js", HISTORY, documents)
    assert series[0] == requests
    assert series[1] == completion


def test_times_are_the_last_seconds_where_the_server_tells_them(visit: Visit) -> None:
    documents = [
        stats(1, 1),
        stats(2, 1, recent=None),
        stats(3, 1, recent={"latency_ms": None}),
        stats(4, 1, recent={"latency_ms": {"p50": 8}}),
    ]
    assert visit.module("charts/history.js", HISTORY, documents)[2] == [5, None, None, 8]


EVENTS = """
const encoded = new TextEncoder().encode(arg.text);
const body = new ReadableStream({
  start(controller) {
    for (let at = 0; at < encoded.length; at += arg.size)
      controller.enqueue(encoded.slice(at, at + arg.size));
    controller.close();
  },
});
const found = [];
for await (const event of it.events(body)) found.push([event.name, event.data]);
return found;
"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data: one\n\ndata: two\n\n", [["", "one"], ["", "two"]]),
        ("retry: 1000\nevent: stats\ndata: {}\n\n", [["stats", "{}"]]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", [["", "a"], ["", "b"]]),
        ("data:x\ndata: y\n\n", [["", "x\ny"]]),
        (": a remark\n\ndata: é€🙂\n\n", [["", "é€🙂"]]),
        ("data: whole\n\ndata: cut", [["", "whole"]]),
    ],
)
def test_events(visit: Visit, text: str, size: int, expected: list[list[str]]) -> None:
    assert visit.module("sse.js", EVENTS, {"text": text, "size": size}) == expected


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ("count", 1234, "1,234"),
        ("count", 12_345_678, "12.3M"),
        ("count", None, DASH),
        ("rate", 0.5, "0.5"),
        ("rate", 1234.5, "1,235"),
        ("millis", 0.4213, "0.42 ms"),
        ("millis", 85.25, "85.3 ms"),
        ("millis", 1250, "1.25 s"),
        ("millis", 61_000, "1 min 1 s"),
        ("millis", None, DASH),
        ("difference", 1.5, "+1.50 ms"),
        ("difference", -0.8, "−0.80 ms"),
        ("duration", 59, "59 s"),
        ("duration", 3_725, "1 h 2 min"),
        ("duration", 90_000, "1 d 1 h"),
        ("bytes", 182_452_224, "174 MiB"),
        ("percent", 0.0226, "2.26 %"),
    ],
)
def test_numbers_as_people_read_them(
    visit: Visit, function: str, value: float | None, expected: str
) -> None:
    assert visit.module("format.js", f"return it.{function}(arg)", value) == expected


@pytest.mark.parametrize(
    ("length", "age", "step"),
    [
        pytest.param(300, 300, 1, id="five minutes"),
        pytest.param(3600, 3600, 5, id="an hour"),
        pytest.param(300, 7200, 15, id="five minutes of two hours ago"),
        pytest.param(86_400, 86_400, 120, id="a day"),
    ],
)
def test_steps(visit: Visit, length: float, age: float, step: int) -> None:
    assert (
        visit.module("charts/past.js", "return it.stepFor(arg[0], arg[1])", [length, age]) == step
    )


FILL = """
const past = new (await import('/llmsim/web/charts/past.js')).Past({
  now: Date.now() / 1000, step_s: 1, times: [100, 101, 102], series: {active: [null, 7, 8]},
});
const history = new it.History();
history.times = [99, 101.5, 103];
history.points = [{active: 1}, {active: 2}, {active: 3}];
history.fill(past);
return history.series('active');
"""


def test_what_the_server_remembers_replaces_what_came_live(visit: Visit) -> None:
    assert visit.module("charts/history.js", FILL) == [1, 7, 8, 3]


CSV = """
return it.csv([0, 1.5], [{label: 'a', values: [1, null]}, {label: 'b "c", d', values: [2.5, 3]}]);
"""


def test_numbers_as_a_file(visit: Visit) -> None:
    assert visit.module("charts/download.js", CSV) == (
        'time,a,"b ""c"", d"\r\n1970-01-01T00:00:00.000Z,1,2.5\r\n1970-01-01T00:00:01.500Z,,3\r\n'
    )


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(10, 12, "+20.0 %"), (10, 5, "−50.0 %"), (0, 5, DASH), (None, 5, DASH), (5, None, DASH)],
)
def test_windows_against_each_other(
    visit: Visit, first: float | None, last: float | None, expected: str
) -> None:
    assert (
        visit.module("windows.js", "return it.against(arg[0], arg[1])", [first, last]) == expected
    )
