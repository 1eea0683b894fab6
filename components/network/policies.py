"""NetworkPolicies: nothing may talk until it is allowed to."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

net = k8s.networking.v1
Labels = Mapping[str, str]
Peer = Labels | net.NetworkPolicyPeerArgs
"""Pods of the same namespace by their labels, or anything else."""

_NAMESPACE_NAME = "kubernetes.io/metadata.name"


def pods(labels: Labels) -> net.NetworkPolicyPeerArgs:
    """Returns the peer that is pods of the same namespace."""
    return net.NetworkPolicyPeerArgs(pod_selector=_select(labels))


def namespace_pods(namespace: str) -> net.NetworkPolicyPeerArgs:
    """Returns the peer that is every pod of another namespace."""
    return net.NetworkPolicyPeerArgs(namespace_selector=_select({_NAMESPACE_NAME: namespace}))


def addresses(cidr: str, without: str | None = None) -> net.NetworkPolicyPeerArgs:
    """Returns the peer that is a range of addresses, without a part of it."""
    left_out = [without] if without else None
    return net.NetworkPolicyPeerArgs(ip_block=net.IPBlockArgs(cidr=cidr, except_=left_out))


def _select(labels: Labels) -> k8s.meta.v1.LabelSelectorArgs:
    return k8s.meta.v1.LabelSelectorArgs(match_labels=dict(labels) or None)


def _ports(*ports: tuple[str, int]) -> list[net.NetworkPolicyPortArgs]:
    return [net.NetworkPolicyPortArgs(protocol=protocol, port=port) for protocol, port in ports]


def default_deny(
    name: str,
    *,
    namespace: pulumi.Input[str],
    object_prefix: str = "",
    labels: Labels,
    of: Labels,
    dns_cidrs: Sequence[str] = (),
    opts: pulumi.ResourceOptions,
) -> None:
    """Denies everything to and from some pods but DNS questions.

    Args:
        name: Pulumi name prefix.
        namespace: The namespace.
        object_prefix: Prefix of the policies' names.
        labels: Labels of the policies.
        of: Labels of the pods; none: every pod of the namespace.
        dns_cidrs: Addresses of name servers that are no pods of kube-system. NodeLocal DNSCache
            listens on the nodes' network, which no selector of pods reaches.
        opts: Resource options.
    """
    net.NetworkPolicy(
        f"{name}-default-deny",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=f"{object_prefix}default-deny", namespace=namespace, labels=dict(labels)
        ),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(of), policy_types=["Ingress", "Egress"]
        ),
        opts=opts,
    )
    net.NetworkPolicy(
        f"{name}-allow-dns",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=f"{object_prefix}allow-dns", namespace=namespace, labels=dict(labels)
        ),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(of),
            policy_types=["Egress"],
            egress=[
                net.NetworkPolicyEgressRuleArgs(
                    to=[namespace_pods("kube-system"), *map(addresses, dns_cidrs)],
                    ports=_ports(("UDP", 53), ("TCP", 53)),
                )
            ],
        ),
        opts=opts,
    )


def allow_ingress(
    name: str,
    *,
    namespace: pulumi.Input[str],
    object_name: str,
    labels: Labels,
    to: Labels,
    peers: Sequence[Peer],
    port: int,
    opts: pulumi.ResourceOptions,
) -> None:
    """Lets peers connect to a port of some pods."""
    net.NetworkPolicy(
        name,
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=f"{object_name}-ingress", namespace=namespace, labels=dict(labels)
        ),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(to),
            policy_types=["Ingress"],
            # A rule without peers would admit everybody; no rule admits nobody.
            ingress=[
                net.NetworkPolicyIngressRuleArgs(from_=[_peer(peer)], ports=_ports(("TCP", port)))
                for peer in peers
            ],
        ),
        opts=opts,
    )


def allow_egress(
    name: str,
    *,
    namespace: pulumi.Input[str],
    object_name: str,
    labels: Labels,
    of: Labels,
    peers: Sequence[tuple[Peer, int]],
    opts: pulumi.ResourceOptions,
) -> None:
    """Lets some pods connect to peers, each on one port."""
    net.NetworkPolicy(
        name,
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=f"{object_name}-egress", namespace=namespace, labels=dict(labels)
        ),
        spec=net.NetworkPolicySpecArgs(
            pod_selector=_select(of),
            policy_types=["Egress"],
            egress=[
                net.NetworkPolicyEgressRuleArgs(to=[_peer(peer)], ports=_ports(("TCP", port)))
                for peer, port in peers
            ],
        ),
        opts=opts,
    )


def _peer(peer: Peer) -> net.NetworkPolicyPeerArgs:
    return peer if isinstance(peer, net.NetworkPolicyPeerArgs) else pods(peer)
