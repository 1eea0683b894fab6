"""`make up` of a stack that is deployed: with nothing to do, and with something that is lost."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from distribution.cluster import places
from tests.commands import how_it_ended, run, succeeded
from tests.e2e.asking import ask
from tests.e2e.deployment import PROJECT, Deployment

NO_UPDATE = "so there is no update"


def make_up(deployment: Deployment) -> str:
    return succeeded(run(["make", "up", f"STACK={deployment.stack}"], 1800, cwd=PROJECT))


def newest_update(deployment: Deployment) -> Any:
    listed = deployment.pulumi("stack", "history", "--json", "--page-size", "1")
    assert listed.returncode == 0, how_it_ended(listed)
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
    # Both are rolled out and answer, of which pods more may be on their way.
    assert ask("GET", f"{deployment.frontend}/api/ready").status_code == 200
    assert ask("GET", f"{deployment.backend}/ready").status_code == 200
    deployment.wait_ready()


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
        previewed = deployment.pulumi("preview")
        assert "1 to update" in previewed.stdout, how_it_ended(previewed)
        deployment.up()
    listed = subprocess.run([*store, "ls", "-q"], check=True, capture_output=True, text=True)
    assert image in listed.stdout.split()
    deployment.wait_ready()
