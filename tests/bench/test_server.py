"""Servers are started, accounted for and gone afterwards."""

import os
import sys
from pathlib import Path

import pytest

from bench.client import Load, run_client
from bench.server import StartError, bare, free_port, running
from bench.shape import PLAIN, STREAM, ProbeError, Shape, probe_plain, probe_stream
from bench.wire import BODIES, WIRES

if not Path("/proc/self/smaps_rollup").exists():
    pytest.skip("needs Linux's /proc", allow_module_level=True)

WIRE = WIRES["openai_chat"]
REQUEST = WIRE.request(BODIES["small"](), 100, stream=False)


def test_the_bare_application_answers_in_the_shape_it_is_given(tmp_path):
    port = free_port()
    shape = Shape([("content-type", "application/json"), ("x-one", "1")], body=321)
    with running(bare(port, 2, "plain", tmp_path, shape), port, tmp_path) as server:
        assert probe_plain(port, REQUEST) == shape
        assert len(server.workers()) == 2
        assert 0 < server.ready < 30
        assert server.memory().pss > 1 << 20
        assert server.cpu() > 0
        with pytest.raises(ProbeError, match="103 events"):
            probe_stream(port, REQUEST, 103)
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


@pytest.mark.parametrize("mode", ["frames", "joined"])
def test_the_bare_application_streams_every_frame(mode, tmp_path):
    port = free_port()
    load = Load(3, WIRE.lead, 100, WIRE.tail, window=0.1)
    with running(bare(port, 1, mode, tmp_path, STREAM), port, tmp_path):
        assert probe_stream(port, REQUEST, 103).frames == STREAM.frames
        seen = run_client(port, REQUEST, load)
    assert seen.errors == 0
    assert seen.events == 103 * seen.answers


@pytest.mark.parametrize("late", [0.0, 0.03])
def test_a_paced_stream_is_found_as_late_as_it_is(late, tmp_path):
    port = free_port()
    load = Load(5, lead=1, tokens=10, tail=2, ttft=0.05, gap=0.01, ramp=0.05, settle=-1, window=3)
    pace = ["--ttft=0.05", "--gap=0.01", f"--late={late}"]
    shape = Shape(STREAM.headers, frames=[100] * 13)
    with running(bare(port, 1, "paced", tmp_path, shape) + pace, port, tmp_path):
        seen = run_client(port, REQUEST, load)
    assert seen.errors == seen.missing == 0
    assert seen.due == 50
    assert late * 1e3 - 1.5 <= seen.late_ms.min
    assert seen.late_ms.min <= late * 1e3 + 15


def test_a_shape_survives_its_file(tmp_path):
    PLAIN.save(tmp_path / "shape.json")
    assert Shape.load(tmp_path / "shape.json") == PLAIN


def test_a_server_that_does_not_start_is_reported_with_what_it_printed(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such luck')"]
    with pytest.raises(StartError, match="no such luck"), running(command, free_port(), tmp_path):
        pass
