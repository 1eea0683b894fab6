"""The check of `validate` on network policies: whether they deny, and what enforces them."""

from collections.abc import Iterator, Sequence

from cluster_objects.json_tree import Json, part
from cluster_objects.policy_enforcement import enforcer, kindnet_fails
from ops.facts import Facts
from ops.findings import Finding, failed, ok, warning
from ops.kube import EVERY, Cluster
from ops.repair import REPAIR
from ops.retry import ApiError

_EMBEDDED = "todo/network-policies"
"""The label by which the embedded cluster says it on its node: enforced, or declared."""
_K3S = "k3s"
"""Its nodes' label node.kubernetes.io/instance-type; its own process enforces policies."""
_K3S_ARGUMENTS = "k3s.io/node-args"
"""The annotation with what k3s was started with (https://docs.k3s.io/cli/server)."""


def policies(facts: Facts) -> Iterator[Finding]:
    """Traffic is denied unless it is allowed."""
    found = facts.cluster.items("NetworkPolicy")
    workloads = [it for it in facts.workloads.values() if it]
    pods = [part(it, "spec", "template", "metadata", "labels") for it in workloads]
    if not any(_denies(policy, pods) for policy in found):
        yield failed(
            "network policies",
            "nothing denies traffic by default",
            "the policy default-deny was deleted",
            REPAIR,
        )
        return
    detail = f"{len(found)}, denied by default"
    match _enforcement(facts.cluster):
        case None:
            yield ok("network policies", detail)
        case "":
            yield warning(
                "network policies",
                f"{detail}, but nothing in this cluster enforces them",
                "docs/clusters.md says which clusters do",
            )
        case who:
            yield ok("network policies", f"{detail}, enforced by {who}")


def _denies(policy: Json, pods: Sequence[Json]) -> bool:
    """Whether a policy lets nobody in to pods, told by their labels, nor to those to come."""
    spec = policy["spec"]
    # Ingress is the default of a policy that names no type.
    if spec.get("ingress") or "Ingress" not in spec.get("policyTypes", ["Ingress"]):
        return False
    selector = part(policy, "spec", "podSelector")
    if not selector:
        return True
    # In a namespace of others, the stack's own are selected.
    wanted = part(selector, "matchLabels").items()
    return (
        bool(pods)
        and not selector.get("matchExpressions")
        and all(wanted <= labels.items() for labels in pods)
    )


def _enforcement(cluster: Cluster) -> str | None:
    """Returns what enforces policies, an empty text when nothing does; None where it is not known.

    A managed cluster may enforce them in ways that no object of it shows.
    """
    try:
        nodes = cluster.items("Node")
        who = enforcer(cluster.items("DaemonSet", namespace=EVERY))
    except ApiError:
        return None  # not everybody may read those
    labels = [part(node, "metadata", "labels") for node in nodes]
    said = next((it[_EMBEDDED] for it in labels if _EMBEDDED in it), None)
    if said is not None:
        return "kube-router" if said == "enforced" else ""
    if who:
        return "" if who == "kindnet" and _kindnet_fails(cluster) else who
    if any(it.get("node.kubernetes.io/instance-type") == _K3S for it in labels):
        told = (str(part(it, "metadata", "annotations").get(_K3S_ARGUMENTS)) for it in nodes)
        return "" if any("--disable-network-policy" in it for it in told) else _K3S
    return "" if nodes and all(map(_has_nothing_hidden, nodes)) else None


def _kindnet_fails(cluster: Cluster) -> bool:
    """Whether kindnet says so itself; it does what it can where its log may not be read."""
    try:
        for pod in cluster.items("Pod", namespace="kube-system", selector="app=kindnet"):
            name, newest = pod["metadata"]["name"], {"tailLines": 60}
            if kindnet_fails("\n".join(cluster.log(name, newest, namespace="kube-system"))):
                return True
    except ApiError:
        pass
    return False


def _has_nothing_hidden(node: Json) -> bool:
    """Whether it is a node of Minikube, kind or Docker Desktop, whose plugins have daemon sets."""
    return (
        "minikube.k8s.io/name" in part(node, "metadata", "labels")
        or str(part(node, "spec").get("providerID", "")).startswith("kind://")
        or part(node, "metadata").get("name") == "docker-desktop"
    )
