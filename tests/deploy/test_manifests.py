"""Compose file and Kubernetes manifests: valid for their own tools, and at one with llmsim."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import llmsim

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
CONFIG = KUBERNETES / "llmsim.yaml"
MANIFESTS = [KUBERNETES / "deployment.yaml", KUBERNETES / "service.yaml"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def run(module: str, *args: str | Path) -> None:
    """Runs a Python tool, whose output becomes the failure's."""
    done = subprocess.run(
        [sys.executable, "-m", module, *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def pod() -> Any:
    return read(KUBERNETES / "deployment.yaml")["spec"]["template"]["spec"]


@pytest.fixture
def container(pod: Any) -> Any:
    (container,) = pod["containers"]
    return container


@pytest.fixture
def service() -> Any:
    """llmsim in the compose file."""
    return read(ROOT / "deploy/compose.yaml")["services"]["llmsim"]


@pytest.fixture
def drain_seconds() -> float:
    milliseconds: float = read(CONFIG)["server"]["drain_timeout_ms"]
    return milliseconds / 1000


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_manifests_are_valid(version: str) -> None:
    run("kubernetes_validate", "--strict", "-k", version, *MANIFESTS)


def test_kustomization_is_valid(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    command = [kubectl, "kustomize", str(KUBERNETES)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (tmp_path / "built.yaml").write_text(built.stdout)
    run("kubernetes_validate", "--strict", tmp_path / "built.yaml")
    images = re.findall(r"image: (.*)", built.stdout)
    assert images == [f"llmsim:{llmsim.__version__}"]


def test_compose_file_is_valid() -> None:
    compose = ROOT / "deploy/compose.yaml"
    run("check_jsonschema", "--builtin-schema", "vendor.compose-spec", compose)


def test_mounted_configuration_is_valid() -> None:
    run("llmsim", "check", CONFIG)


def test_image_tags_are_this_version(service: Any) -> None:
    (image,) = read(KUBERNETES / "kustomization.yaml")["images"]
    assert image["newTag"] == llmsim.__version__
    assert service["image"] == f"llmsim:{llmsim.__version__}"


def test_open_streams_may_drain(
    pod: Any, container: Any, service: Any, drain_seconds: float
) -> None:
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > waits + drain_seconds
    assert float(service["stop_grace_period"].removesuffix("s")) > drain_seconds


def test_ports_agree(container: Any, service: Any) -> None:
    port = read(CONFIG)["server"]["port"]
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    (exposed,) = read(KUBERNETES / "service.yaml")["spec"]["ports"]
    assert exposed["targetPort"] == "http"
    assert service["ports"] == [f"{port}:{port}"]
    assert service["command"][service["command"].index("--port") + 1] == str(port)


def test_service_selects_the_pods() -> None:
    deployment = read(KUBERNETES / "deployment.yaml")["spec"]
    selector = read(KUBERNETES / "service.yaml")["spec"]["selector"]
    assert selector == deployment["selector"]["matchLabels"]
    assert selector.items() <= deployment["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("probe", "path"),
    [("livenessProbe", "/health"), ("readinessProbe", "/ready"), ("startupProbe", "/health")],
)
def test_probes(container: Any, probe: str, path: str) -> None:
    assert container[probe]["httpGet"] == {"path": path, "port": "http"}


def test_pod_is_restricted(pod: Any, container: Any) -> None:
    """What Kubernetes' Pod Security Standards ask for under "restricted", and a bit more."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {next(k for k in volume if k != "name") for volume in pod["volumes"]} <= {
        "configMap",
        "emptyDir",
    }


def test_compose_service_is_restricted(service: Any) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
