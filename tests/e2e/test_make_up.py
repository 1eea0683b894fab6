"""`make up` of a stack that is deployed: with nothing to do, and with something that is lost."""

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from console.waiting import last_answer
from distribution.cluster import places
from tests.e2e.deployment import PROJECT, Deployment

NO_UPDATE = "so there is no update"


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


def newest_update(deployment: Deployment) -> Any:
    listed = deployment.pulumi("stack", "history", "--json", "--page-size", "1")
    assert listed.returncode == 0, listed.stderr
    return json.loads(listed.stdout)[0]["startTime"]


def test_another_run_updates_only_where_something_would_change(
    deployment: Deployment, tmp_path: Path
) -> None:
    make_up(deployment)
    # An earlier test may have left pods that are only starting, for which there is an update.
    deployment.wait_ready()
    known = newest_update(deployment)
    assert NO_UPDATE in make_up(deployment)
    assert newest_update(deployment) == known

    # As after an edit: what is deployed is not what the stack file says.
    schedule = ("cronjob/postgres-backup", "-o", "jsonpath={.spec.schedule}")
    wanted = deployment.kubectl("get", *schedule)
    file = tmp_path / f"Pulumi.{deployment.stack}.yaml"
    stack = yaml.safe_load((PROJECT / file.name).read_text())
    stack["config"]["todo:settings"]["database"]["backup"] = {"schedule": "3 4 5 * *"}
    file.write_text(yaml.safe_dump(stack))
    deployment.up("--config-file", str(file))
    assert deployment.kubectl("get", *schedule) == "3 4 5 * *"

    other = newest_update(deployment)
    printed = make_up(deployment)
    assert NO_UPDATE not in printed
    assert "1 updated" in printed
    assert newest_update(deployment) != other
    assert deployment.kubectl("get", *schedule) == wanted


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
