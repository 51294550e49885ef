"""The recording that the benchmark replays."""

from pathlib import Path
from typing import Any

import pytest

import llmsim
from bench.replay import recorded, replaying
from bench.wire import BODIES, WIRES
from llmsim.recordings import folder

SETTINGS: dict[str, Any] = {
    "latency": {"ttft_mean_ms": 100, "ttft_stddev_ms": 0, "tbt_mean_ms": 10, "tbt_stddev_ms": 0}
}


@pytest.mark.parametrize("dialect", WIRES)
def test_frames_are_where_they_are_due(dialect: str) -> None:
    wire = WIRES[dialect]
    one = recorded(wire, dialect, 20, SETTINGS)
    frames = one.response.frames
    assert len(frames) == wire.lead + 20 + wire.tail
    assert frames[wire.lead + 5].at == pytest.approx(0.15)
    assert one.response.ended == pytest.approx(0.29)


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
def test_its_settings_replay_it(dialect: str, tmp_path: Path) -> None:
    made = replaying(tmp_path, dialect, 20, SETTINGS, "keep")
    (one,) = folder.recordings(Path(made["replay"]["path"]))
    body = WIRES[dialect].body(BODIES["small"](), 20, True)
    plan = llmsim.plan(body, dialect=dialect, config=made)
    assert b"".join(bytes(plan.frames[place]) for place in range(len(plan.frames))) == (
        one.response.content
    )
