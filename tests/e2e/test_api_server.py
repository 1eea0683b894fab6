"""The operations CLI while the API server restarts, and while it is away."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment

_SUPERVISOR = Path("/run/todo-cluster/supervisor.sock")


@pytest.fixture
def supervise(deployment: Deployment) -> Iterator[Callable[[str], None]]:
    """Starts and stops the API server of the embedded cluster; it has settled when a test ends."""
    if not _SUPERVISOR.exists() or "@todo" not in str(deployment.outputs["kubeContext"]):
        pytest.skip("only the embedded cluster's API server may be stopped by a test")

    def control(action: str) -> None:
        command = ["supervisorctl", "-s", f"unix://{_SUPERVISOR}", action, "kube-apiserver"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or "already" in done.stdout, how_it_ended(done)

    yield control
    control("start")
    _wait_settled(deployment)


def _wait_settled(deployment: Deployment) -> None:
    """Waits until the node has reported to the API server again, and every pod is ready."""
    reports: set[str] = set()
    for _ in range(180):
        lease = deployment.try_kubectl(
            *("--namespace", "kube-node-lease", "get", "leases"),
            *("-o", "jsonpath={.items[*].spec.renewTime}"),
        )
        if lease.returncode == 0:
            reports.add(lease.stdout)
        if len(reports) > 1:
            break
        time.sleep(1)
    # The pod of a backup that is done is never ready again.
    running = ("pod", "--field-selector=status.phase=Running")
    for things in (("node", "--all"), running):
        deployment.kubectl("wait", "--for=condition=Ready", *things, "--timeout=300s")
    deployment.wait_ready()


@pytest.mark.parametrize(
    "command",
    [
        ["validate"],
        ["status"],
        ["logs", "backend", "--since", "5m"],
        ["shell-db", "-c", "SELECT 1"],
    ],
    ids=lambda command: command[0],
)
def test_a_command_goes_on_while_the_api_server_restarts(
    deployment: Deployment, supervise: Callable[[str], None], command: list[str]
) -> None:
    _ = deployment.outputs
    supervise("stop")
    with subprocess.Popen(
        deployment.ops_command(*command),
        cwd=deployment.project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr
        told = next((it for it in running.stderr if "the cluster does not answer" in it), None)
        supervise("start")
        out, err = running.communicate(timeout=600)
    assert told, f"it ended before it asked the cluster: {out}{err}"
    assert "trying again" in told
    assert running.returncode == 0, (out + err)[-3000:]


def test_a_cluster_that_is_away_is_named(
    deployment: Deployment, supervise: Callable[[str], None]
) -> None:
    supervise("stop")
    try:
        done = deployment.ops("status")
    finally:
        supervise("start")
    assert done.returncode == 3
    assert "does not answer; start it with `make cluster-start`" in " ".join(done.stderr.split())
