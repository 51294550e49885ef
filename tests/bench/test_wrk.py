"""wrk's tally, and what is said where wrk is missing."""

import shutil

import pytest

from bench.client import MissingError
from bench.server import bare, free_port, running
from bench.shape import PLAIN
from bench.wire import BODIES, WIRES
from bench.wrk import Tally, run_wrk

REQUEST = WIRES["openai_chat"].request(BODIES["small, new text"](), 100, stream=False)


def test_without_wrk_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingError, match="apt-get install wrk"):
        run_wrk(1, REQUEST, 1, connections=2, threads=1)


@pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk")
def test_a_second_of_load_has_no_errors(tmp_path):
    port = free_port()
    with running(bare(port, 1, "plain", tmp_path, PLAIN), port, tmp_path):
        named_counters = run_wrk(port, REQUEST, 1, connections=2, threads=2)
    assert named_counters.errors == 0
    assert named_counters.requests > 100


def test_rate_and_errors():
    named_counters = Tally(requests=300, seconds=1.5, p50_ms=1, p99_ms=2, status=3, socket=4)
    assert (named_counters.rate, named_counters.errors) == (200, 7)
