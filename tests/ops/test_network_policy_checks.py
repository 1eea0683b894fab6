"""What `validate` says of network policies: whether they deny, and what enforces them."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from ops.facts import Facts
from ops.findings import Finding
from ops.network_policy_checks import policies
from ops.retry import ApiError
from tests.ops import stacks
from tests.unit.fake_tools import recorded

DENY: dict[str, Any] = {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}}
K3S = {"node.kubernetes.io/instance-type": "k3s"}
MINIKUBE = {"minikube.k8s.io/name": "minikube"}


class Cluster:
    def __init__(
        self,
        found: list[dict[str, Any]],
        labels: dict[str, str] | None,
        sets: dict[str, str] | None = None,
        provider: str = "",
        arguments: str = "[]",
        log: str = "",
    ) -> None:
        self.found, self.labels, self.sets, self.provider = found, labels, sets or {}, provider
        self.arguments, self.lines = arguments, log.splitlines()

    def log(self, pod: str, query: dict[str, int], *, namespace: str) -> Iterator[str]:
        assert (pod, query, namespace) == ("kindnet-x", {"tailLines": 60}, "kube-system")
        return iter(self.lines)

    def items(self, kind: str, *, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        if kind == "Pod":
            assert (namespace, selector) == ("kube-system", "app=kindnet")
            return [{"metadata": {"name": "kindnet-x"}}]
        if kind == "NetworkPolicy":
            return self.found
        if self.labels is None:
            raise ApiError(403, "nodes is forbidden")
        if kind == "Node":
            annotations = {"k3s.io/node-args": self.arguments}
            metadata = {"name": "a", "labels": self.labels, "annotations": annotations}
            return [{"metadata": metadata, "spec": {"providerID": self.provider}}]
        assert (kind, namespace) == ("DaemonSet", "*")
        return [
            {
                "metadata": {"name": name},
                "spec": {"template": {"spec": {"containers": [{"image": image}]}}},
            }
            for name, image in self.sets.items()
        ]

    def find(self, kind: str, name: str) -> dict[str, Any]:
        labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "todo"}
        return {"kind": kind, "spec": {"template": {"metadata": {"labels": labels}}}}


def check(cluster: Cluster) -> Finding:
    (finding,) = policies(Facts(stacks.deployed(), cast("Any", cluster)))
    return finding


@pytest.mark.parametrize(
    ("cluster", "state", "detail"),
    [
        (Cluster([DENY], {"todo/network-policies": "enforced"}), "ok", "enforced by kube-router"),
        (Cluster([DENY], {"todo/network-policies": "declared"}), "warning", "nothing in this"),
        (Cluster([DENY], MINIKUBE, {"calico-node": "calico/node:v3"}), "ok", "enforced by Calico"),
        (Cluster([DENY], MINIKUBE, {"kube-proxy": "k"}), "warning", "nothing in this cluster"),
        (
            Cluster([DENY], {}, {"kindnet": "kindest/kindnetd:v20250512-df8de77b"}, "kind://x"),
            "ok",
            "enforced by kindnet",
        ),
        (
            Cluster([DENY], {}, {"kindnet": "kindest/kindnetd:v20240202-8f1494ea"}, "kind://x"),
            "warning",
            "nothing in this cluster",
        ),
        (
            Cluster(
                [DENY],
                {},
                {"kindnet": "kindest/kindnetd:v20250512-df8de77b"},
                "kind://x",
                log=recorded("kubectl/logs-kindnet-without-nft-queue.txt"),
            ),
            "warning",
            "nothing in this cluster",
        ),
        (Cluster([DENY], K3S), "ok", "enforced by k3s"),
        (Cluster([DENY], K3S, {"calico-node": "calico/node:v3"}), "ok", "enforced by Calico"),
        (
            Cluster([DENY], K3S, arguments='["server","--disable-network-policy"]'),
            "warning",
            "nothing in this cluster",
        ),
        (Cluster([DENY], {}, {"aws-node": "vpc-cni"}, "aws:///x"), "ok", "denied by default"),
        (Cluster([DENY], None), "ok", "denied by default"),
    ],
)
def test_enforcement_is_told_where_it_is_known(cluster: Cluster, state: str, detail: str) -> None:
    finding = check(cluster)
    assert finding.state == state
    assert detail in finding.detail
    assert ("enforced" in finding.detail) == ("enforced" in detail)


def test_without_a_denying_policy_nothing_else_counts() -> None:
    assert check(Cluster([], {"todo/network-policies": "enforced"})).state == "failed"


@pytest.mark.parametrize(
    ("selector", "state"),
    [
        ({"matchLabels": {"app.kubernetes.io/part-of": "todo"}}, "ok"),
        ({"matchLabels": {"app.kubernetes.io/part-of": "somebody-elses"}}, "failed"),
        # Other pods of the stack are open.
        ({"matchLabels": {"app.kubernetes.io/name": "backend"}}, "failed"),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, "failed"),
    ],
)
def test_in_a_namespace_of_others_the_stacks_own_pods_are_to_be_denied(
    selector: dict[str, Any], state: str
) -> None:
    policy = {"spec": {"podSelector": selector, "policyTypes": ["Ingress", "Egress"]}}
    assert check(Cluster([policy], {"todo/network-policies": "enforced"})).state == state
