"""Times in Locust's statistics: fine, beside its requests, added up over workers."""

import json
import subprocess
import sys
from typing import Any

import pytest

from llmsim.loadtest.measures import rounded

# In a process of its own: Locust replaces parts of the standard library.
WORKERS_AND_MASTER = """
import json, msgpack
from locust.stats import RequestStats, StatsEntry
from llmsim.loadtest import users
from llmsim.loadtest.measures import measured, table

master = RequestStats()
for worker in (RequestStats(), RequestStats()):
    worker.log_request("POST", "chat", 0.75, 10)
    for value in range(1, 101):
        measured(worker, "TTFT", value / 1e5)
    for _ in range(2):  # a worker reports what is new
        for reported in worker.serialize_stats():
            sent = msgpack.unpackb(msgpack.packb(reported), strict_map_key=False)
            one = StatsEntry.unserialize(sent, master)
            master.get(one.name, one.method).extend(one)
        master.total.extend(StatsEntry.unserialize(worker.total.get_stripped_report(), master))
found = {row.name: row.get_response_time_percentile(0.5) for row in master.entries.values()}
print(json.dumps({"total": master.total.num_requests, "p50": found, "table": [*table(master)]}))
"""


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.0, 0.0),
        (0.012345, 0.0123),
        (1.2345, 1.23),
        (123.456, 123.0),
        (9876.5, 9880.0),
        (-0.5, -0.5),
    ],
)
def test_three_digits_are_kept(value: float, kept: float) -> None:
    assert rounded(value) == kept


@pytest.fixture(scope="module")
def master() -> dict[str, Any]:
    command = [sys.executable, "-c", WORKERS_AND_MASTER]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_measures_are_no_requests(master: dict[str, Any]) -> None:
    assert master["total"] == 2


def test_fractions_of_a_millisecond_stay(master: dict[str, Any]) -> None:
    assert master["p50"] == {"chat": 0.75, "TTFT": pytest.approx(0.5, abs=0.011)}


def test_workers_are_added_up_once(master: dict[str, Any]) -> None:
    head, line = master["table"]
    assert head.split() == ["milliseconds", "count", "p50", "p90", "p95", "p99"]
    name, count, *percentiles = line.split()
    assert (name, count) == ("TTFT", "200")
    assert [float(one) for one in percentiles] == pytest.approx([0.5, 0.9, 0.95, 0.99], abs=0.011)
