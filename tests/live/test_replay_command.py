"""``llmsim replay`` against a server."""

import json
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner

from llmsim.cli import main
from llmsim.recordings.lines import to_line
from tests.recordings.samples import recording
from tests.serving import Server

ROWS = 12


def report(*args: str) -> Any:
    result = CliRunner().invoke(main, ["replay", *args, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_trace_and_recordings_are_sent(sim: Server, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    lines = [
        {"timestamp": 50 * place, "input_length": 30, "output_length": 8, "hash_ids": [1]}
        for place in range(ROWS)
    ]
    trace.write_text("".join(json.dumps(one) + "\n" for one in lines))
    found = report(str(trace), "--format", "mooncake", "--target", sim.url, "--speed", "2")
    assert (found["sent"], found["answered"], found["statuses"]) == (ROWS, ROWS, {"200": ROWS})
    assert found["completion_tokens"] == found["recorded"]["completion_tokens"] == 8 * ROWS
    assert found["prompt_tokens"] >= 30 * ROWS
    assert found["seconds"] >= 0.05 * (ROWS - 1) / 2
    assert 0 < found["ttft_ms"]["p50"] < found["total_ms"]["p50"]

    (tmp_path / "recordings").mkdir()
    kept = tmp_path / "recordings" / "a.jsonl"
    kept.write_bytes(b"".join(to_line(recording(number)) for number in range(4)))
    flags = ("--target", f"{sim.url}/v1", "--speed", "100", "--max-in-flight", "1")
    found = report(str(kept.parent), *flags)
    assert (found["answered"], found["most_in_flight"]) == (4, 1)
    assert found["status_as_recorded"] == 4
    stats = httpx.get(f"{sim.url}/llmsim/stats", timeout=20).json()
    assert stats["requests"]["total"] >= ROWS + 4


def test_nobody_there_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(to_line(recording()))
    result = CliRunner().invoke(main, ["replay", str(tmp_path), "--target", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "0 answered, 1 failed (ConnectError: 1)" in result.stdout
    for args in (("--target", "nowhere"), ("--target", "http://x", "-H", "a")):
        assert CliRunner().invoke(main, ["replay", str(tmp_path), *args]).exit_code == 2
