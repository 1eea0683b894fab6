"""The NetworkPolicies of an AppDeployment."""

from typing import assert_never

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..network.exposure import peers_from_outside
from ..network.policies import (
    Peer,
    declare_egress_policy,
    declare_ingress_policy,
    dns_rule,
    namespace_pods,
)
from ..values.metrics import Metrics, NoMetrics, ScrapeAnnotations, ServiceMonitorMetrics
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
    scrapers = _scrapers(args.metrics)
    if args.metrics_path and metrics_port and scrapers:
        policies.append(
            declare_ingress_policy(
                f"{scope.name}-metrics-policy",
                scope,
                scrapers,
                metrics_port,
                suffix="-metrics-ingress",
            )
        )
    return policies


def _scrapers(metrics: Metrics) -> list[Peer]:
    match metrics:
        case NoMetrics():
            return []
        case ScrapeAnnotations() | ServiceMonitorMetrics():
            return [namespace_pods(metrics.from_namespace)]
        case _:
            assert_never(metrics)
