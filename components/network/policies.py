"""NetworkPolicies: nothing may talk until it is allowed to."""

from collections.abc import Mapping, Sequence
from typing import assert_never

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..values.metrics import Metrics, NoMetrics, ScrapeAnnotations, ServiceMonitorMetrics

net = k8s.networking.v1
Labels = Mapping[str, str]
Peer = Labels | net.NetworkPolicyPeerArgs
"""Pods of the same namespace by their labels, or anything else."""

NODE_LOCAL_DNS = "169.254.20.10/32"
"""Where NodeLocal DNSCache listens: on the nodes' network, which no selector of pods reaches
(https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/)."""
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


def pods(labels: Labels) -> net.NetworkPolicyPeerArgs:
    """Returns the peer that is pods of the same namespace."""
    return net.NetworkPolicyPeerArgs(pod_selector=_select(labels))


def namespace_pods(namespace: str) -> net.NetworkPolicyPeerArgs:
    """Returns the peer that is every pod of another namespace."""
    return net.NetworkPolicyPeerArgs(namespace_selector=_select({_NAMESPACE_NAME: namespace}))


def scrapers(metrics: Metrics) -> list[Peer]:
    """Returns who reads metrics: every pod of the namespace that they name, if any are read."""
    match metrics:
        case NoMetrics():
            return []
        case ScrapeAnnotations() | ServiceMonitorMetrics():
            return [namespace_pods(metrics.from_namespace)]
        case _:
            assert_never(metrics)


def addresses(cidr: str, without: str | None = None) -> net.NetworkPolicyPeerArgs:
    """Returns the peer that is a range of addresses, without a part of it."""
    left_out = [without] if without else None
    return net.NetworkPolicyPeerArgs(ip_block=net.IPBlockArgs(cidr=cidr, except_=left_out))


ANYWHERE: Sequence[Peer] = (addresses("0.0.0.0/0"), addresses("::/0"))
"""Whoever it is: what is no pod, such as nodes and API servers, has addresses of either kind."""


def anywhere(*ports: int) -> list[tuple[Peer, int]]:
    """Returns every address, IPv4 and IPv6, on each of some ports: for `declare_egress_policy`."""
    return [(peer, port) for port in ports for peer in ANYWHERE]


def declare_default_deny(
    scope: ObjectScope,
    *,
    of: Labels,
    object_prefix: str = "",
    dns_cidrs: Sequence[str] = (NODE_LOCAL_DNS,),
) -> tuple[net.NetworkPolicy, net.NetworkPolicy]:
    """Denies everything to and from some pods but DNS questions.

    Args:
        scope: Whose policies they are.
        of: Labels of the pods; none: every pod of the namespace.
        object_prefix: Prefix of the policies' names.
        dns_cidrs: Addresses of name servers that are no pods of kube-system.
    """
    deny = net.NetworkPolicy(
        f"{scope.name}-default-deny",
        metadata=_metadata(scope, f"{object_prefix}default-deny"),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(of), policy_types=["Ingress", "Egress"]
        ),
        opts=scope.opts,
    )
    dns = net.NetworkPolicy(
        f"{scope.name}-allow-dns",
        metadata=_metadata(scope, f"{object_prefix}allow-dns"),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(of), policy_types=["Egress"], egress=[dns_rule(dns_cidrs)]
        ),
        opts=scope.opts,
    )
    return deny, dns


def dns_rule(cidrs: Sequence[str] = (NODE_LOCAL_DNS,)) -> net.NetworkPolicyEgressRuleArgs:
    """Returns the rule that lets pods ask for names.

    Args:
        cidrs: Addresses of name servers that are no pods of kube-system.
    """
    return net.NetworkPolicyEgressRuleArgs(
        to=[namespace_pods("kube-system"), *map(addresses, cidrs)],
        ports=_ports(("UDP", 53), ("TCP", 53)),
    )


def declare_ingress_policy(
    name: str,
    scope: ObjectScope,
    peers: Sequence[Peer],
    port: int | None,
    *,
    suffix: str = "-ingress",
) -> net.NetworkPolicy:
    """Lets peers connect to a port of a component's pods, and nobody else to any.

    Args:
        name: Pulumi name.
        scope: Whose pods they are.
        peers: Who may connect; nobody if there are none.
        port: The pods' port, TCP; None: each one.
        suffix: What the policy's name has after the component's objects'.
    """
    ports = None if port is None else _ports(("TCP", port))
    return net.NetworkPolicy(
        name,
        metadata=scope.metadata(suffix),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(scope.selector),
            policy_types=["Ingress"],
            # A rule without peers would admit everybody; no rule admits nobody.
            ingress=[
                net.NetworkPolicyIngressRuleArgs(from_=[_peer(peer)], ports=ports) for peer in peers
            ],
        ),
        opts=scope.opts,
    )


def declare_egress_policy(
    name: str,
    scope: ObjectScope,
    destinations: Sequence[tuple[Peer, int]],
    *,
    dns: net.NetworkPolicyEgressRuleArgs | None = None,
) -> net.NetworkPolicy:
    """Lets a component's pods connect to peers, each on one TCP port, and to nobody else.

    Args:
        name: Pulumi name.
        scope: Whose pods they are.
        destinations: Peers and their ports.
        dns: The rule by which the pods ask for names; None: another policy has it.
    """
    rules = [
        net.NetworkPolicyEgressRuleArgs(to=[_peer(peer)], ports=_ports(("TCP", port)))
        for peer, port in destinations
    ]
    return net.NetworkPolicy(
        name,
        metadata=scope.metadata("-egress"),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(scope.selector),
            policy_types=["Egress"],
            egress=[*rules, *([dns] if dns else [])],
        ),
        opts=scope.opts,
    )


def _metadata(scope: ObjectScope, name: str) -> k8s.meta.v1.ObjectMetaArgs:
    return k8s.meta.v1.ObjectMetaArgs(name=name, namespace=scope.namespace, labels=scope.labels)


def _select(labels: Labels) -> k8s.meta.v1.LabelSelectorArgs:
    return k8s.meta.v1.LabelSelectorArgs(match_labels=dict(labels) or None)


def _ports(*ports: tuple[str, int]) -> list[net.NetworkPolicyPortArgs]:
    return [net.NetworkPolicyPortArgs(protocol=protocol, port=port) for protocol, port in ports]


def _peer(peer: Peer) -> net.NetworkPolicyPeerArgs:
    match peer:
        case net.NetworkPolicyPeerArgs():
            return peer
        case Mapping():
            return pods(peer)
        case _:
            assert_never(peer)
