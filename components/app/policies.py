"""The NetworkPolicies of an AppDeployment."""

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..network.exposure import peers_from_outside
from ..network.policies import (
    declare_egress_policy,
    declare_ingress_policy,
    dns_rule,
    scrapers,
)
from .args import AppDeploymentArgs

NetworkPolicy = k8s.networking.v1.NetworkPolicy


def declare_policies(scope: ObjectScope, args: AppDeploymentArgs) -> list[NetworkPolicy]:
    """Declares who may connect to the pods, and whom they may connect to."""
    dns = None if args.dns_cidrs is None else dns_rule(args.dns_cidrs)
    # Without a port there are no peers: the policy lets nobody in.
    peers = [*args.clients, *peers_from_outside(args.exposure, args.pod_cidr)]
    policies = [
        declare_egress_policy(f"{scope.name}-egress-policy", scope, args.reaches, dns=dns),
        declare_ingress_policy(f"{scope.name}-ingress-policy", scope, peers, args.port),
    ]
    metrics_port = args.metrics_port or args.port
    readers = scrapers(args.metrics)
    if args.metrics_path and metrics_port and readers:
        policies.append(
            declare_ingress_policy(
                f"{scope.name}-metrics-policy",
                scope,
                readers,
                metrics_port,
                suffix="-metrics-ingress",
            )
        )
    return policies
