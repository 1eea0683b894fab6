"""The operations CLI while the API server restarts, and while it is away."""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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
        assert done.returncode == 0 or "already" in done.stdout, done.stdout

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
    for thing in ("node", "pod"):
        deployment.kubectl("wait", "--for=condition=Ready", thing, "--all", "--timeout=120s")


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
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(deployment.ops, *command)
        time.sleep(4)
        supervise("start")
        done = running.result()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the cluster does not answer; trying again" in done.stderr


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
