"""Who may talk to whom, by the rules of Kubernetes' NetworkPolicies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cluster_objects.json_tree import Json, part, parts
from tools.graph.resources import Resource

Direction = Literal["ingress", "egress"]
ANYWHERE = "0.0.0.0/0"
_PEERS = {"ingress": "from", "egress": "to"}
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Outsider:
    """Whoever is no pod of the stack."""

    kind: Literal["addresses", "namespace"]
    name: str

    @classmethod
    def anybody(cls) -> "Outsider":
        """Whoever can reach the cluster."""
        return cls("addresses", ANYWHERE)


def allowed(
    policies: Sequence[Resource], source: Resource, target: Resource, port: str, number: int
) -> bool:
    """Returns whether one workload's pods may connect to a port of another's: both have to agree.

    Args:
        policies: The NetworkPolicies.
        source: Whose pods connect.
        target: Whose pods listen.
        port: The port's name.
        number: The port's number.
    """
    ends: tuple[tuple[Direction, Resource, Resource], ...] = (
        ("egress", source, target),
        ("ingress", target, source),
    )
    return all(
        _open(policies, direction, pods)
        or any(
            _opens(rule, port, number) and _names(rule, direction, peer)
            for _, rule in _rules(policies, direction, pods)
        )
        for direction, pods, peer in ends
    )


def outsiders(
    policies: Sequence[Resource], direction: Direction, pods: Resource
) -> list[tuple[Outsider, int | None]]:
    """Returns whom outside the stack these pods may talk to, and on which port (None: every).

    What holds for all pods alike, such as asking for names (DNS), is left out.
    """
    if _open(policies, direction, pods):
        return [(Outsider.anybody(), None)]
    found: list[tuple[Outsider, int | None]] = []
    for policy, rule in _rules(policies, direction, pods):
        if not policy.spec.get("podSelector"):
            continue
        ports = [_number(it.get("port"), pods) for it in parts(rule, "ports")] or [None]
        for peer in parts(rule, _PEERS[direction]) or [{"ipBlock": {"cidr": ANYWHERE}}]:
            outsider = _outsider(peer)
            found += [(outsider, port) for port in ports if outsider]
    return found


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Returns whether a label selector selects these labels."""
    return part(selector, "matchLabels").items() <= labels.items() and all(
        _holds(it, labels) for it in parts(selector, "matchExpressions")
    )


def _holds(expression: Json, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    values: list[str] = expression.get("values") or []
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]


def _applying(policies: Sequence[Resource], direction: Direction, pods: Resource) -> list[Resource]:
    return [
        policy
        for policy in policies
        if direction.capitalize() in (policy.spec.get("policyTypes") or _types(policy))
        and policy.metadata.get("namespace") == pods.metadata.get("namespace")
        and selects(part(policy.spec, "podSelector"), pods.pod_labels)
    ]


def _types(policy: Resource) -> list[str]:
    return ["Ingress", *(["Egress"] if policy.spec.get("egress") else [])]


def _open(policies: Sequence[Resource], direction: Direction, pods: Resource) -> bool:
    return not _applying(policies, direction, pods)


def _rules(
    policies: Sequence[Resource], direction: Direction, pods: Resource
) -> Iterator[tuple[Resource, Json]]:
    for policy in _applying(policies, direction, pods):
        for rule in parts(policy.spec, direction):
            yield policy, rule


def _opens(rule: Json, port: str, number: int) -> bool:
    """Whether the rule is about this port; without ports it is about all."""
    ports = parts(rule, "ports")
    return not ports or any(
        it.get("protocol", "TCP") == "TCP"
        and (
            it.get("port") in {None, port, number}
            or (isinstance(it["port"], int) and it["port"] <= number <= it.get("endPort", -1))
        )
        for it in ports
    )


def _names(rule: Json, direction: Direction, peer: Resource) -> bool:
    """Whether the rule is about these pods; without peers it is about everybody."""
    peers = parts(rule, _PEERS[direction])
    namespace = {_NAMESPACE_NAME: str(peer.metadata.get("namespace"))}
    return not peers or any(
        "ipBlock" not in it
        and selects(part(it, "namespaceSelector"), namespace)
        and selects(part(it, "podSelector"), peer.pod_labels)
        for it in peers
    )


def _outsider(peer: Json) -> Outsider | None:
    if "ipBlock" in peer:
        return Outsider("addresses", str(part(peer, "ipBlock")["cidr"]))
    if "namespaceSelector" not in peer:
        return None
    labels = part(peer, "namespaceSelector", "matchLabels")
    name = labels.get(_NAMESPACE_NAME) or ", ".join(f"{k}={v}" for k, v in labels.items())
    return Outsider("namespace", name or "any")


def _number(port: str | int | None, pods: Resource) -> int | None:
    return pods.pod_ports.get(port) if isinstance(port, str) else port
