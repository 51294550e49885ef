"""``llmsim recordings``, ``anonymise`` and ``fit``."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from msgspec import structs

from llmsim import config
from llmsim.cli import main
from llmsim.recordings import folder
from llmsim.recordings.lines import to_line
from llmsim.recordings.recording import Payload, RecordedFrame, RecordedRequest, RecordedResponse
from tests.recordings.samples import recording


def run(*args: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*map(str, args)])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "recordings"
    path.mkdir()
    other = recording(1, model="gpt-5")
    (path / "a.jsonl").write_bytes(to_line(recording(0)) + to_line(other))
    return path


def test_ls(recorded: Path) -> None:
    lines = run("recordings", "ls", recorded).output.splitlines()
    assert lines[0].split()[:4] == ["ID", "ARRIVED", "STATUS", "MODEL"]
    assert lines[1].split() == [
        *("rec_0000", "2026-09-21T14:13:20.250Z", "200", "gpt-4o", "9", "2"),
        *("100.0", "200.0", "whole"),
    ]
    assert len(lines) == 3
    assert len(run("recordings", "ls", recorded, "--model", "gpt-5").output.splitlines()) == 2


def test_show(recorded: Path) -> None:
    shown = run("recordings", "show", recorded, "rec_0000").output
    assert "POST /v1/chat/completions" in shown
    assert "content-type: text/event-stream" in shown
    assert r"     100.0 ms     1 tokens  data: {}\n\n" in shown
    body = run("recordings", "show", recorded, "rec_0001", "--body").output
    assert body == "data: {}\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [("rec_7", "there is no recording rec_7"), ("rec_", "2 recordings begin with rec_")],
)
def test_show_what_is_not_one(recorded: Path, name: str, message: str) -> None:
    assert message in run("recordings", "show", recorded, name, code=2).output


def test_diff(recorded: Path) -> None:
    output = run("recordings", "diff", recorded, "rec_0000", "rec_0001", code=1).output
    assert "model: rec_0000 'gpt-4o', rec_0001 'gpt-5'" in output
    assert "messages[0].content: rec_0000 'Hi 0', rec_0001 'Hi 1'" in output
    assert output.splitlines()[-1].startswith("rec_0001  2026-")  # what became of it
    assert "the same" in run("recordings", "diff", recorded, "rec_0000", "rec_0000").output


def test_check(recorded: Path) -> None:
    assert run("recordings", "check", recorded).output == "2 recordings, 0 faults, 0 torn lines\n"
    with (recorded / "a.jsonl").open("ab") as file:
        file.write(b'{"version":1')
    output = run("recordings", "check", recorded).output
    assert "warning: " in output
    assert "2 recordings, 0 faults, 1 torn lines" in output
    (recorded / "b.jsonl").write_bytes(b"{}\n")
    assert "b.jsonl:1: " in run("recordings", "check", recorded, code=1).output


def test_schema() -> None:
    assert "$defs" in json.loads(run("recordings", "schema").output)


@pytest.mark.parametrize("name", ["har", "otel"])
def test_export(recorded: Path, name: str) -> None:
    assert json.loads(run("recordings", "export", recorded, "--to", name).output)


def test_import(recorded: Path, tmp_path: Path) -> None:
    archive = tmp_path / "x.har"
    archive.write_text(run("recordings", "export", recorded, "--to", "har").output)
    out = tmp_path / "imported"
    printed = run("recordings", "import", archive, "--format", "har", "--out", out).output
    assert printed == f"2 recordings in {out}\n"
    assert len(list(folder.recordings(out))) == 2
    trace = tmp_path / "trace.csv"
    trace.write_text("Timestamp,Request tokens,out\n1,10,20\n")
    args = ("--format", "burstgpt", "--column", "output_tokens=out", "--out", out)
    assert "1 recordings" in run("recordings", "import", trace, *args).output
    args = ("--format", "burstgpt", "--column", "out", "--out", out)
    assert "must be FIELD=NAME" in run("recordings", "import", trace, *args, code=2).output
    assert (
        "not valid"
        in run("recordings", "import", trace, "--format", "otel", "--out", out, code=2).output
    )


@pytest.mark.parametrize(
    "args",
    [
        ("recordings", "ls", "none"),
        ("recordings", "check", "none"),
        ("fit", "none"),
        ("anonymise", "none", "--out", "new"),
    ],
)
def test_what_is_not_there_is_one_line(args: tuple[str, ...]) -> None:
    assert "none: no such file or folder" in run(*args, code=2).output


def test_anonymise(recorded: Path, tmp_path: Path) -> None:
    body = Payload.of(b'{"messages":[{"role":"user","content":"Mail ann@corp.io, T-77"}]}')
    request = RecordedRequest(path="/v1/chat/completions", body=body)
    (recorded / "b.jsonl").write_bytes(to_line(structs.replace(recording(2), request=request)))
    out = tmp_path / "out"
    output = run("anonymise", recorded, "--out", out, "--pattern", r"ticket=T-\d+").output
    assert [line.split() for line in output.splitlines()[:3]] == [
        ["KIND", "PLACE", "REPLACED"],
        ["email", "request", "1"],
        ["ticket", "request", "1"],
    ]
    assert "ann@corp.io" not in output
    made = list(folder.recordings(out))
    assert [one.id for one in made] == ["rec_0000", "rec_0001", "rec_0002"]
    assert b"ann@corp.io" not in made[2].request.body.content
    assert made[2].anonymised is not None
    assert "not empty" in run("anonymise", recorded, "--out", out, code=2).output


@pytest.mark.parametrize(
    ("option", "message"), [("x", "must be KIND=RE2"), ("x=(", "x: (: not a regular expression")]
)
def test_anonymise_mistakes(recorded: Path, tmp_path: Path, option: str, message: str) -> None:
    args = ("anonymise", recorded, "--out", tmp_path / "out", "--pattern", option)
    assert message in run(*args, code=2).output


def streams(requests: int = 400) -> bytes:
    random = np.random.default_rng(5)
    lines = []
    for number in range(requests):
        times = 0.3 * random.gamma(20.0, 0.05) + np.cumsum(0.02 * random.gamma(9.0, 1 / 9, 30))
        frames = [RecordedFrame(at=float(at), tokens=1) for at in times]
        response = RecordedResponse(status=200, frames=frames, ended=float(times[-1]))
        lines.append(to_line(recording(number, response=response, in_flight=0)))
    return b"".join(lines)


def test_fit_makes_a_configuration_that_serves(recorded: Path, tmp_path: Path) -> None:
    (recorded / "a.jsonl").write_bytes(streams())
    output, report = tmp_path / "profile.yaml", tmp_path / "fit.html"
    printed = run("fit", recorded, "-o", output, "--report", report).output
    assert "time between tokens" in printed
    assert "gpt-4o: load: " in printed
    assert "<svg" in report.read_text()
    made: dict[str, Any] = yaml.safe_load(output.read_text())
    assert made["latency"]["models"]["gpt-4o"]["itl_ms"]["mean"] == pytest.approx(20, rel=0.05)
    config.load(output, {}, {})


def test_fit_of_a_trace(tmp_path: Path) -> None:
    lines = "".join(f"{at},GPT-4,{at * 7},{at % 90 + 1}\n" for at in range(200))
    file = tmp_path / "trace.csv"
    file.write_text("Timestamp,Model,Request tokens,out\n" + lines)
    args = ("fit", file, "--format", "burstgpt", "--column", "output_tokens=out")
    made = run(*args).output
    assert "target_tokens" in made
    assert "GPT-4: itl_ms: too few streams" in made


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--format", "none"), "none is no format of traces"),
        (("--column", "a=b"), "only with --format"),
        (("--format", "azure", "--column", "a"), "must be FIELD=NAME"),
    ],
)
def test_fit_mistakes(recorded: Path, args: tuple[str, ...], message: str) -> None:
    assert message in run("fit", recorded, *args, code=2).output
