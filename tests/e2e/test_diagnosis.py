"""What `validate` says when something is broken for real: the cause, and the next command."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment


@pytest.fixture(autouse=True)
def _mended(deployment: Deployment) -> Iterator[None]:
    """Whatever a test breaks is put back as the documentation says, and found healthy."""
    yield
    deployment.up("--refresh")
    deployment.wait_ready()
    deployment.wait_healthy()


def _findings(deployment: Deployment) -> list[dict[str, str]]:
    done = deployment.ops("validate", "--json")
    assert done.returncode in {0, 1}, how_it_ended(done)
    return json.loads(done.stdout)["findings"]


def _finds(deployment: Deployment, check: str, cause: str) -> dict[str, str]:
    """Returns the finding with a cause, once the cluster shows it, within five minutes."""
    found: list[dict[str, str]] = []
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = [f for f in _findings(deployment) if f["state"] != "ok"]
        for finding in found:
            if finding["check"].startswith(check) and cause in finding["cause"]:
                return finding
        time.sleep(3)
    pytest.fail(
        f"validate does not say {cause!r} of {check}: {json.dumps(found, indent=1)[-3000:]}"
    )


def _patch(deployment: Deployment, container: dict[str, Any]) -> None:
    spec: dict[str, Any] = {"containers": [{"name": "frontend", **container}]}
    patch = {"spec": {"template": {"spec": spec}}}
    deployment.kubectl("patch", "deployment/frontend", "--patch", json.dumps(patch))


def test_an_image_that_was_never_loaded(deployment: Deployment) -> None:
    _patch(deployment, {"image": "localhost/todo/frontend:missing"})
    finding = _finds(deployment, "pod frontend-", "never loaded into this cluster")
    assert finding["command"].startswith("make up")
    backend = deployment.objects("pods", "-l", "app.kubernetes.io/name=backend")["items"]
    phases = {
        pod["metadata"]["name"]: pod["status"]["phase"]
        for pod in backend
        # Of an update before this one some may be on their way out.
        if "deletionTimestamp" not in pod["metadata"]
    }
    assert set(phases.values()) == {"Running"}, phases


def test_an_image_that_cannot_be_pulled(deployment: Deployment) -> None:
    _patch(deployment, {"image": "registry.invalid/todo/frontend:1"})
    finding = _finds(deployment, "pod frontend-", "the node cannot reach the registry")
    assert "registry.invalid/todo/frontend:1" in finding["detail"]


def test_a_container_killed_for_memory(deployment: Deployment) -> None:
    little = {"limits": {"memory": "24Mi"}, "requests": {"memory": "24Mi"}}
    _patch(deployment, {"resources": little})
    finding = _finds(deployment, "pod frontend-", "needs more memory than its limit")
    assert "raise memoryLimit" in finding["command"]


def test_a_readiness_probe_that_fails(deployment: Deployment) -> None:
    _patch(deployment, {"readinessProbe": {"httpGet": {"path": "/nowhere", "port": "http"}}})
    finding = _finds(deployment, "pod frontend-", "answers, but not that it is ready")
    assert "404" in finding["detail"]


def test_a_deployment_scaled_to_nothing(deployment: Deployment) -> None:
    deployment.kubectl("scale", "deployment/frontend", "--replicas=0")
    finding = _finds(deployment, "deployment frontend", "somebody scaled it")
    assert "pulumi up --refresh" in finding["command"]
    assert _finds(deployment, "service frontend", "no pod is ready")


def test_more_pods_than_the_quota_allows(deployment: Deployment) -> None:
    deployment.kubectl("scale", "deployment/frontend", "--replicas=30")
    finding = _finds(deployment, "deployment frontend", "quota is used up")
    assert finding["command"].startswith("kubectl describe quota")


def test_a_deleted_secret(deployment: Deployment) -> None:
    names = deployment.objects("secrets", "-l", "app.kubernetes.io/name=backend")["items"]
    deployment.kubectl("delete", "secret", names[0]["metadata"]["name"])
    finding = _finds(deployment, "secrets", "deleted by hand")
    assert "of the backend is missing" in finding["detail"]


def test_a_password_changed_by_hand(deployment: Deployment) -> None:
    deployment.sql("ALTER ROLE todo PASSWORD 'by hand'")
    finding = _finds(deployment, "secrets", "somebody changed it with ALTER ROLE")
    assert finding["command"] == "python -m ops rotate-password"
    done = deployment.ops("rotate-password", "--yes")
    assert done.returncode == 0, how_it_ended(done)


def test_a_deleted_object(deployment: Deployment) -> None:
    deployment.kubectl("delete", "networkpolicy/default-deny")
    finding = _finds(deployment, "objects", "deleted by hand")
    assert "NetworkPolicy default-deny" in finding["detail"]
    assert _finds(deployment, "network policies", "default-deny was deleted")


def test_a_volume_that_no_class_provides(deployment: Deployment) -> None:
    """Needs a claim of its own: the database's is bound, and data is not put at risk for a test."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "unbound"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "nobody-provides-it",
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    created = deployment.try_kubectl("create", "-f", "-", text=json.dumps(claim))
    assert created.returncode == 0, how_it_ended(created)
    try:
        volume = {"name": "unbound", "persistentVolumeClaim": {"claimName": "unbound"}}
        patch = {"spec": {"template": {"spec": {"volumes": [volume]}}}}
        deployment.kubectl("patch", "deployment/frontend", "--patch", json.dumps(patch))
        finding = _finds(deployment, "pod frontend-", "missing storage class or provisioner")
        assert "kubectl describe pvc" in finding["command"]
        deployment.kubectl("rollout", "undo", "deployment/frontend")
    finally:
        deployment.kubectl("delete", "persistentvolumeclaim", "unbound", "--wait=false")
