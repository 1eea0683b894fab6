"""Changes: a new backend version and back, drift, and the removal of everything but the data."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from ops.verdicts import DRIFT
from tests.commands import how_it_ended
from tests.e2e.asking import ask
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.waiting import until

BACKEND_SOURCE = Path("apps/backend/todo_backend/__init__.py")


def _edit_backend(workspace: Deployment) -> None:
    with (workspace.project / BACKEND_SOURCE).open("a") as file:
        file.write(f"\n# edited {uuid4().hex}\n")


def _git(workspace: Deployment, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=workspace.project, check=True, capture_output=True)


def test_a_source_edit_rolls_the_backend_alone_without_a_failed_request(
    deployment: Deployment, workspace: Deployment
) -> None:
    others = deployment.pods("frontend") | deployment.pods("database")
    before = deployment.pods("backend")
    _edit_backend(workspace)
    with Traffic(deployment) as traffic:
        workspace.up()
        deployment.wait_ready()
    after = deployment.pods("backend")
    assert len(after) == 2
    assert not set(before.values()) & set(after.values())
    assert deployment.pods("frontend") | deployment.pods("database") == others
    traffic.assert_unharmed()


def test_the_history_says_how_to_roll_back(deployment: Deployment, workspace: Deployment) -> None:
    workspace.up()
    good = deployment.image("backend")
    _edit_backend(workspace)
    _git(workspace, "commit", "--quiet", "--all", "--message", "A release with a mistake")
    workspace.up()
    assert deployment.image("backend") != good

    listed = workspace.ops("history", "--json")
    assert listed.returncode == 0, how_it_ended(listed)
    bad, previous = json.loads(listed.stdout)[:2]
    assert bad["message"] == "A release with a mistake"
    _git(workspace, "checkout", previous["commit"], "--", "apps")
    with Traffic(deployment) as traffic:
        workspace.up()
    assert deployment.image("backend") == good
    traffic.assert_unharmed()


_LABEL = "app.kubernetes.io/part-of"


def _has_drifted(deployment: Deployment) -> bool:
    frontend = deployment.objects("deployment/frontend")
    backend = deployment.objects("service/backend")
    return (frontend["spec"]["replicas"], backend["metadata"]["labels"][_LABEL]) != (2, "todo")


@pytest.fixture
def drifting(deployment: Deployment) -> Iterator[Deployment]:
    """The stack, to be changed behind Pulumi's back; afterwards it is as declared."""
    yield deployment
    if _has_drifted(deployment):
        deployment.up("--refresh")
        deployment.wait_ready()


def test_drift_is_found_and_mended(drifting: Deployment) -> None:
    deployment = drifting
    deployment.kubectl("label", "--overwrite", "service/backend", f"{_LABEL}=drifted")
    deployment.kubectl("scale", "deployment/frontend", "--replicas=3")

    found = deployment.pulumi("refresh", "--preview-only", "--diff")
    assert found.returncode == 0, how_it_ended(found)
    assert f'~ {_LABEL}: "todo" => "drifted"' in found.stdout
    assert "~ replicas: 2 => 3" in found.stdout
    summary = deployment.ops("drift", "--record")
    assert summary.returncode == 5, how_it_ended(summary)
    assert _recorded_drift(deployment) == ["found"]
    assert "Deployment\tfrontend\tspec.replicas\t2\t3" in summary.stdout
    assert "DRIFT: 2 differences" in summary.stdout

    deployment.up("--refresh")
    deployment.wait_ready()
    assert not _has_drifted(deployment)
    summary = deployment.ops("drift", "--full", "--record")
    assert summary.returncode == 0, how_it_ended(summary)
    assert "NO DRIFT" in summary.stdout
    assert _recorded_drift(deployment) == ["none"]


def test_a_look_for_drift_that_cannot_be_is_neither_drift_nor_none(deployment: Deployment) -> None:
    before = _recorded_drift(deployment)
    wrong = {"PULUMI_CONFIG_PASSPHRASE": "another", "PULUMI_CONFIG_PASSPHRASE_FILE": ""}
    done = deployment.ops("drift", "--record", environment=wrong)
    assert done.returncode == 3, how_it_ended(done)
    assert "The passphrase does not open this stack" in done.stderr
    assert _recorded_drift(deployment) == before


def _recorded_drift(deployment: Deployment) -> list[str]:
    """What an alert would read."""
    found = deployment.objects("deployments")["items"]
    notes = [it["metadata"]["annotations"].get(DRIFT) for it in found]
    return [note for note in notes if note]


def test_destroy_keeps_the_data_and_up_takes_it_back(deployment: Deployment) -> None:
    account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
    signed_up = ask("POST", f"{deployment.frontend}/api/auth/sign-up", json=account)
    assert signed_up.status_code < 300, signed_up.text

    done = deployment.pulumi("destroy", "--yes", "--skip-preview")
    assert done.returncode == 0, how_it_ended(done)
    kinds = "all,secrets,configmaps,networkpolicies"
    left = list[str]()

    def is_empty() -> bool:
        found = deployment.kubectl("get", kinds, "-o", "name").split()
        left[:] = [name for name in found if name != "configmap/kube-root-ca.crt"]
        return not left

    # What ended jobs have left goes after the CronJob that made them.
    until(lambda: f"nothing but data, and not {left}", is_empty, 180)
    claims = deployment.kubectl("get", "persistentvolumeclaims", "-o", "name").split()
    assert "persistentvolumeclaim/data-postgres-0" in claims

    deployment.up()
    deployment.wait_ready()
    signed_in = ask("POST", f"{deployment.frontend}/api/auth/sign-in", json=account)
    assert signed_in.status_code < 300, signed_in.text
