"""The Grafana dashboard and the alert rules: as built, as their own tools take them, at one with
what llmsim tells."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmsim.config import Metrics
from llmsim.telemetry.prometheus import render
from tests.telemetry.test_prometheus import LIMIT, reading, tables
from tests.telemetry.test_snapshot import counters_of, finish, stream

DEPLOY = Path(__file__).parents[2] / "deploy"
GRAFANA = DEPLOY / "grafana"
BOARD = GRAFANA / "dashboards" / "llmsim.json"
PROMETHEUS = DEPLOY / "prometheus"
NODE = Path(sys.prefix) / "node"


def run(*command: str | Path) -> str:
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(BOARD.read_text())["panels"]
    return found


@pytest.fixture(scope="module")
def exposed() -> set[str]:
    """The names of all samples."""
    made = counters_of(1)
    finish(made[0])
    made[0].timed(stream(made[0]), 1.0, 1.0)
    made[0].sampled(9_000_000, 1, 1, 1, 1)
    body, _ = render(reading(made, limits=[LIMIT], tables=tables()), Metrics(), "", "")
    return {line.split("{")[0].split(" ")[0] for line in body.decode().splitlines()} - {"#"}


def test_the_dashboard_is_what_the_script_builds() -> None:
    program = "import build, sys; sys.stdout.write(build.built())"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=GRAFANA, capture_output=True, text=True, check=True
    )
    assert built.stdout == BOARD.read_text(), "run: python deploy/grafana/build.py"


def compiled(board: str, lines: str, folder: Path) -> str:
    """What the TypeScript compiler says about a dashboard."""
    compiler = NODE / "node_modules" / "typescript" / "bin" / "tsc"
    node = shutil.which("node")
    if node is None or not compiler.exists() or not (NODE / "node_modules/@grafana").exists():
        pytest.skip("node, typescript and @grafana/schema are not installed")
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    text = (Path(__file__).parent / "dashboard.ts").read_text()
    text = text.replace("= BOARD;", f"= {board};").replace("= LINES;", f"= {lines};")
    (folder / "dashboard.ts").write_text(text)
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"]
    done = subprocess.run(
        [node, compiler, *options, "dashboard.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_grafana_takes_the_dashboard(panels: list[dict[str, Any]], tmp_path: Path) -> None:
    lines = [
        {"options": panel["options"], "custom": panel["fieldConfig"]["defaults"]["custom"]}
        for panel in panels
        if panel["type"] == "timeseries"
    ]
    assert compiled(BOARD.read_text(), json.dumps(lines), tmp_path) == ""


def test_grafana_does_not_take_anything(tmp_path: Path) -> None:
    board = json.loads(BOARD.read_text())
    board["panels"][1]["gridPos"] = {"x": "left"}
    told = compiled(json.dumps(board), '[{"options": {}, "custom": {"drawStyle": "x"}}]', tmp_path)
    assert "Type 'string' is not assignable to type 'number'" in told
    assert 'Type \'"x"\' is not assignable to type \'"line" | "bars"' in told


def test_every_query_is_about_what_is_told(panels: list[dict[str, Any]], exposed: set[str]) -> None:
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    used = set(re.findall(r"llmsim_\w+", " ".join(queries)))
    assert used <= exposed
    unused = {name for name in exposed if name.startswith("llmsim_")} - used
    bare = {name for name in unused if not name.endswith(("_bucket", "_count", "_sum"))}
    assert bare == {
        "llmsim_answers_too_large_total",
        "llmsim_build_info",
        "llmsim_start_time_seconds",
        "llmsim_streams_total",
    }


def test_panels_fill_their_rows(panels: list[dict[str, Any]]) -> None:
    places = [panel["gridPos"] for panel in panels]
    taken = [
        (place["x"] + dx, place["y"] + dy)
        for place in places
        for dx in range(place["w"])
        for dy in range(place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    assert len(taken) == 24 * max(place["y"] + place["h"] for place in places)
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_alerts_are_about_what_is_told(exposed: set[str]) -> None:
    text = (PROMETHEUS / "alerts.yaml").read_text()
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert set(re.findall(r"llmsim_\w+", " ".join(rule["expr"] for rule in rules))) <= exposed
    assert all(rule["annotations"]["summary"] for rule in rules)


@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", PROMETHEUS / "prometheus.yaml"),
        ("check", "rules", "--lint-fatal", PROMETHEUS / "alerts.yaml"),
        ("test", "rules", PROMETHEUS / "alerts_test.yaml"),
    ],
)
def test_promtool_finds_no_fault(command: tuple[str | Path, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    assert "SUCCESS" in run(promtool, *command)


def test_every_alert_is_tested() -> None:
    rules = yaml.safe_load((PROMETHEUS / "alerts.yaml").read_text())["groups"][0]["rules"]
    tested = re.findall(r'alertname="(\w+)"', (PROMETHEUS / "alerts_test.yaml").read_text())
    assert sorted(tested) == sorted(rule["alert"] for rule in rules)


def test_what_compose_mounts_is_there() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["metrics"]
        for mount in services[name]["volumes"]:
            source, _, options = mount.split(":")
            assert (DEPLOY / source).is_dir(), mount
            assert options == "ro"
    source = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())
    (provided,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/llmsim.yaml").read_text())[
        "providers"
    ]
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    mounts = [mount.split(":")[1] for mount in services["grafana"]["volumes"]]
    assert provided["options"]["path"] in mounts


def test_scrapes_find_the_port() -> None:
    pod = yaml.safe_load((DEPLOY / "kubernetes/deployment.yaml").read_text())["spec"]["template"]
    (port,) = pod["spec"]["containers"][0]["ports"]
    assert pod["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": "/metrics",
    }
    monitor = yaml.safe_load((PROMETHEUS / "servicemonitor.yaml").read_text())
    service = yaml.safe_load((DEPLOY / "kubernetes/service.yaml").read_text())
    assert (
        monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    )
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    config = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())
    (job,) = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"llmsim:{port['containerPort']}"]}]
