"""docs/exposed.md: what it shows can be used as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmsim import config
from llmsim.server.admin.auth import open_door
from tests.certificates import server_pair

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/exposed.md").read_text("utf-8")
CONFIGURATION, CONTAINER, POLICY = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def valid(manifest: Any, folder: Path) -> None:
    """Kubernetes takes it."""
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest))
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def exposed(tmp_path: Path) -> config.Config:
    """The configuration, with the token where the page has it."""
    pair = server_pair(tmp_path / "tls")
    Path(pair.cert).rename(tmp_path / "tls/tls.crt")
    Path(pair.key).rename(tmp_path / "tls/tls.key")
    path = tmp_path / "llmsim.yaml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return config.load(str(path), {"LLMSIM_TOKEN": "secret"}, {})


def test_the_configuration_leaves_no_door_open(exposed: config.Config) -> None:
    assert open_door(exposed) is None
    assert exposed.keys
    assert exposed.server.tls is not None
    assert exposed.control.protect_metrics


def test_each_bound_is_lower_than_by_default(exposed: config.Config) -> None:
    """And the table of what they cost names those that take memory."""
    default = config.Config().server
    names = [name for name in CONFIGURATION.split() if re.fullmatch(r"max_\w+:", name)]
    for name in (one.removesuffix(":") for one in names):
        if name != "max_concurrency":
            assert getattr(exposed.server, name) < getattr(default, name)
            assert f"| `{name}` |" in PAGE


def test_the_manifests_are_valid(tmp_path: Path) -> None:
    deployment = yaml.safe_load((ROOT / "deploy/kubernetes/deployment.yaml").read_text("utf-8"))
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    added = yaml.safe_load(CONTAINER)
    container["volumeMounts"] += added.pop("volumeMounts")
    container.update(added)
    pod["volumes"].append({"name": "tls", "secret": {"secretName": "llmsim-tls"}})
    valid(deployment, tmp_path)
    valid(yaml.safe_load(POLICY), tmp_path)


def test_the_policy_is_about_the_pods_of_the_manifests(exposed: config.Config) -> None:
    policy = yaml.safe_load(POLICY)["spec"]
    deployment = yaml.safe_load((ROOT / "deploy/kubernetes/deployment.yaml").read_text("utf-8"))
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["ingress"][0]["ports"] == [{"port": exposed.server.port}]


def test_the_metrics_exist() -> None:
    metrics = (ROOT / "docs/metrics.md").read_text("utf-8")
    named = set(re.findall(r"`(llmsim_\w+)", PAGE))
    assert len(named) > 7
    assert [name for name in named if f"`{name}`" not in metrics] == []
