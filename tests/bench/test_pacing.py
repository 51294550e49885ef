"""What is made of the client's, the kernel's and the server's figures."""

import pytest
from msgspec.structs import replace

from bench.client import LoadResult, Quantiles
from bench.pacing import COLUMNS, Pacing, row
from bench.report import table

SEEN = LoadResult(
    late_ms=Quantiles(-0.5, 1, 2, 3, 4, 5),
    late_read_ms=Quantiles(-0.4, 1.1, 2.1, 3.1, 4.1, 5.1),
    late_paced_ms=Quantiles(0, 0.5, 1.5, 2.5, 3.5, 4.5),
    offset_ms=Quantiles(-0.5, 0, 1, 1, 1, 1),
    answers=1000,
    failed=0,
    refused=1,
    miscounted=2,
    unfinished=3,
    events=0,
    window_events=300_000,
    window_reads=150_000,
    due=200_000,
    delivered=199_000,
    missing=500,
    early=2000,
    open_at_open=1000,
    open_at_close=1000,
    window_s=10.0,
    window_cpu_s=1.0,
    wall_s=20.0,
)
OWN = {"p50": 0.9, "p99": 2.5, "max": 4.5}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("due_rate", 20_000),
        ("paced_p99_ms", 2.5),
        ("read_p99_ms", 3.1),
        ("delivered", 99.5),
        ("early", 1.0),
        ("p999_ms", 4),
        ("own_p99_ms", 2.5),
        ("cpu_us", 10),
        ("cores", 0.3),
        ("client_cores", 0.1),
        ("other_cores", 0.6),
        ("chunks_per_read", 2),
        ("stream_kib", 32),
        ("errors", 6),
    ],
)
def test_a_row(key, expected):
    found = row(SEEN, OWN, cpu=3.0, machine=10.0, grown=1000 * 32 * 1024)
    assert found[key] == pytest.approx(expected)


def test_a_row_fills_the_table_with_and_without_the_servers_own_figures():
    rows = [{**row(SEEN, own, cpu=3.0, machine=10.0, grown=1), "tokens": 100} for own in (OWN, {})]
    assert table(COLUMNS, rows).count("–") == 3  # noqa: RUF001


def test_no_token_due_is_an_error():
    with pytest.raises(ValueError, match="no token was due"):
        row(replace(SEEN, late_ms=None), OWN, cpu=1, machine=1, grown=1)


@pytest.mark.parametrize("streams", [1, 500, 5000])
def test_streams_stay_open_from_the_last_arrival_to_the_end_of_the_window(streams):
    load = Pacing("openai_chat", (streams,), workers=2, seconds=15).load(streams)
    assert load.ttft + load.tokens * load.gap > load.ramp + load.settle + load.window


@pytest.mark.parametrize("streams", [500, 2000])
def test_a_ramp_is_measured_from_its_first_stream(streams):
    load = Pacing("openai_chat", (streams,), workers=2, seconds=15, ramp=4.0).load(streams)
    assert load.ramp == streams / 4000
    assert load.ramp + load.settle == 0
    assert load.ttft + load.tokens * load.gap > load.ramp + load.window
    assert not load.cut


def test_long_answers_are_cut_when_the_window_has_closed():
    load = Pacing("openai_chat", (10,), workers=2, seconds=5, tokens=20_000).load(10)
    assert (load.tokens, load.cut) == (20_000, True)
    assert not Pacing("openai_chat", (10,), workers=2, seconds=5, tokens=1).load(10).cut
