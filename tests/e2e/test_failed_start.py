"""Pods that never get ready: `pulumi up` fails and says why, though no Service is waited for."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.commands import how_it_ended
from tests.e2e.deployment import PROJECT, Deployment

_PROGRAM = """
import sys

import pulumi

sys.path.insert(0, {project!r})

from components.app import AppDeployment, AppDeploymentArgs
from components.cluster import ClusterApi
from components.cluster.interruption import end_quietly

end_quietly()


def give_up_soon(args):
    if not args.type_.endswith(":Deployment"):
        return None
    soon = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="90s"))
    return pulumi.ResourceTransformationResult(
        args.props, pulumi.ResourceOptions.merge(args.opts, soon)
    )


def declare(name, image, command):
    AppDeployment(
        name,
        AppDeploymentArgs(
            namespace={namespace!r},
            image=image,
            command=command,
            port=8080,
            api=ClusterApi(),
            pre_stop_seconds=1,
            drain_seconds=1,
        ),
        pulumi.ResourceOptions(transformations=[give_up_soon]),
    )


declare("unbuilt", "localhost/nobody/built:this", None)
declare("ending", {image!r}, ["python", "-c", "raise SystemExit(3)"])
declare("silent", {image!r}, ["python", "-c", "import time; time.sleep(600)"])
"""
_PROJECT = f"""
name: failing
runtime:
  name: python
  options: {{virtualenv: {PROJECT / ".venv"}}}
"""


@pytest.fixture
def namespace(deployment: Deployment) -> Iterator[str]:
    name = f"failing-{uuid4().hex[:8]}"
    deployment.kubectl("create", "namespace", name)
    yield name
    deployment.kubectl("delete", "namespace", name)


def _pulumi(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs it with a state that is gone with the folder."""
    environment = {
        **os.environ,
        "PULUMI_BACKEND_URL": folder.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "of-the-test",
    }
    environment.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    command = ["pulumi", *arguments, "--stack", "test", "--color", "never"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_services_without_ready_pods_fail_the_update_with_the_reasons_of_the_pods(
    deployment: Deployment, namespace: str, tmp_path: Path
) -> None:
    image = deployment.image("backend")
    program = _PROGRAM.format(project=str(PROJECT), namespace=namespace, image=image)
    (tmp_path / "__main__.py").write_text(program)
    (tmp_path / "Pulumi.yaml").write_text(_PROJECT)
    made = _pulumi(tmp_path, "stack", "init")
    assert made.returncode == 0, how_it_ended(made)

    done = _pulumi(tmp_path, "up", "--yes", "--skip-preview")

    said = done.stdout
    print(how_it_ended(done))  # shown where something of the following is missing
    assert done.returncode != 0
    assert "Traceback" not in said
    assert f"Deployment {namespace}/unbuilt does not get ready: pod unbuilt-" in said
    assert "localhost/nobody/built:this" in said
    assert f"kubectl -n {namespace} describe pod unbuilt-" in said
    assert f"Deployment {namespace}/ending does not get ready: pod ending-" in said
    assert "-c ending --previous" in said  # the command that shows its last words
    assert "containers with unready status: [silent]" in said
    services = deployment.objects("services", "--namespace", namespace)["items"]
    assert {it["metadata"]["name"] for it in services} == {"unbuilt", "ending", "silent"}
