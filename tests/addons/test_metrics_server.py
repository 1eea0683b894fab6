"""metrics-server: what its chart is told."""

from typing import Any

import pytest

from tests.addons.program import run_addons

LOCAL: dict[str, Any] = {"cluster": {"kind": "local"}}


def chart(**block: object) -> dict[str, Any]:
    recording = run_addons(LOCAL | {"metricsServer": block})
    return recording.one("Chart").inputs


def test_the_official_chart_is_installed_from_its_repository() -> None:
    it = chart()
    assert it["chart"] == "metrics-server"
    assert it["repositoryOpts"]["repo"] == "https://kubernetes-sigs.github.io/metrics-server/"
    assert it["version"]


def test_a_folder_takes_the_place_of_the_repository() -> None:
    it = chart(chart={"path": "../.local/addons/metricsServer/chart-path"})
    assert it["chart"] == "../.local/addons/metricsServer/chart-path"
    assert "repositoryOpts" not in it
    assert "version" not in it


def test_kubelets_are_verified_unless_it_is_said_otherwise() -> None:
    assert chart()["values"]["args"] == []
    insecure = chart(kubeletInsecureTls=True)["values"]["args"]
    assert insecure == ["--kubelet-insecure-tls"]


def test_an_image_by_digest_is_named_as_the_chart_puts_it_together() -> None:
    digest = "a" * 64
    image = chart(image=f"registry.example.com/metrics-server@sha256:{digest}")["values"]["image"]
    named = f"{image['repository']}:{image['tag']}"
    assert named == f"registry.example.com/metrics-server@sha256:{digest}"


@pytest.mark.parametrize("port", [443, 6443, 8443, 16443])
def test_the_api_server_is_reached_where_managed_and_local_clusters_have_it(port: int) -> None:
    """On EKS, kubeadm's clusters, Minikube and MicroK8s."""
    part: dict[str, object] = {}
    recording = run_addons(LOCAL | {"metricsServer": part})
    policy = recording.one("NetworkPolicy", "metrics-server-egress-policy").inputs["spec"]
    assert port in [it["port"] for rule in policy["egress"] for it in rule["ports"]]
