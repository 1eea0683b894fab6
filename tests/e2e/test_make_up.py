"""`make up` on a cluster that has lost what Pulumi remembers."""

import subprocess
from pathlib import Path

import httpx
import pytest

from console.waiting import last_answer
from distribution.cluster import places
from tests.e2e.deployment import PROJECT, Deployment


def make_up(deployment: Deployment) -> str:
    done = subprocess.run(
        ["make", "up", f"STACK={deployment.stack}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_objects_that_were_deleted_come_back(deployment: Deployment) -> None:
    deployment.kubectl("delete", "service/backend", "deployment/frontend")
    printed = make_up(deployment)
    assert "gone from the cluster since the last update: 2 objects" in printed
    assert deployment.frontend in printed
    assert httpx.get(f"{deployment.frontend}/api/ready").status_code == 200
    assert httpx.get(f"{deployment.backend}/ready").status_code == 200


@pytest.mark.parametrize("command", ["make up", "pulumi up"])
def test_an_image_that_the_node_lost_is_loaded_again(deployment: Deployment, command: str) -> None:
    if not Path(places.CONTAINERD_SOCKET).exists():
        pytest.skip("the cluster is not the embedded one, whose images can be removed here")
    image = deployment.image("frontend")
    store = ["ctr", "--address", str(places.CONTAINERD_SOCKET), "--namespace", "k8s.io", "images"]
    subprocess.run([*store, "rm", image], check=True, capture_output=True)
    deployment.kubectl("delete", "pods", "-l", "app.kubernetes.io/name=frontend")
    if command == "make up":
        make_up(deployment)
    else:
        assert "1 to update" in deployment.pulumi("preview").stdout
        deployment.up()
    listed = subprocess.run([*store, "ls", "-q"], check=True, capture_output=True, text=True)
    assert image in listed.stdout.split()
    deployment.wait_ready()
    # kube-proxy has yet to learn of pods that have just become ready.
    url = f"{deployment.frontend}/api/ready"
    assert last_answer(lambda: _answers(url), bool, 30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
