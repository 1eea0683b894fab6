"""More pods and fewer, and a node that is drained, while requests go on."""

import pytest

from tests.commands import how_it_ended
from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic
from tests.waiting import until


def _wait_for(deployment: Deployment, app: str, ready: int) -> None:
    """Waits for a number of ready pods: pods too many do not keep a rollout from being done."""

    def found() -> int:
        return deployment.objects(f"deployment/{app}")["status"].get("readyReplicas", 0)

    until(lambda: f"{ready} pods of the {app}, not {found()}", lambda: found() == ready, 120)


@pytest.mark.parametrize("app", ["backend", "frontend"])
def test_scaling_to_five_and_back_fails_no_request(
    deployment: Deployment, workspace: Deployment, app: str
) -> None:
    with Traffic(deployment) as traffic:
        for replicas in (5, 2):
            done = workspace.pulumi(
                "config", "set", "--path", f"todo:settings.{app}.scaling.replicas", str(replicas)
            )
            assert done.returncode == 0, how_it_ended(done)
            workspace.pulumi(
                "config", "set", "--path", f"todo:settings.{app}.scaling.mode", "fixed"
            )
            workspace.up()
            deployment.wait_ready()
            _wait_for(deployment, app, replicas)
            assert len(deployment.pods(app)) == replicas
    traffic.assert_unharmed()


def test_draining_a_node_leaves_a_pod_of_each_serving(deployment: Deployment) -> None:
    nodes = [node["metadata"]["name"] for node in deployment.objects("nodes")["items"]]
    if len(nodes) > 1:
        pytest.skip("with more than one node the evicted pods just move; this needs a single one")
    applications = "app.kubernetes.io/component in (backend,frontend)"
    try:
        with Traffic(deployment) as traffic:
            drained = deployment.try_kubectl(
                *("drain", nodes[0], "--ignore-daemonsets", "--delete-emptydir-data"),
                *("--pod-selector", applications, "--timeout=30s"),
            )
            held = deployment.ops("validate")
        assert drained.returncode != 0, how_it_ended(drained)
        assert "would violate the pod's disruption budget" in drained.stderr
        for app in ("backend", "frontend"):
            _wait_for(deployment, app, 1)
        assert "every node is drained or tainted" in held.stdout, how_it_ended(held)
    finally:
        deployment.kubectl("uncordon", nodes[0])
        deployment.wait_ready()
    traffic.assert_unharmed()
