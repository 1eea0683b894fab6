"""The NetworkPolicies of an AppDeployment."""

from typing import assert_never

from ..metadata.scope import ObjectScope
from ..network.exposure import peers_from_outside
from ..network.policies import Peer, allow_egress, allow_ingress, namespace_pods
from ..values.metrics import Metrics, NoMetrics, ScrapeAnnotations, ServiceMonitor
from .args import AppDeploymentArgs


def declare_policies(scope: ObjectScope, args: AppDeploymentArgs) -> None:
    """Declares who may connect to the pods, and whom they may connect to."""
    if args.port is not None:
        allow_ingress(
            f"{scope.name}-ingress-policy",
            namespace=scope.namespace,
            object_name=scope.object_name,
            labels=scope.labels,
            to=scope.selector,
            peers=[*args.clients, *peers_from_outside(args.exposure, args.pod_cidr)],
            port=args.port,
            opts=scope.opts,
        )
    metrics_port = args.metrics_port or args.port
    scrapers = _scrapers(args.metrics)
    if args.metrics_path and metrics_port and scrapers:
        allow_ingress(
            f"{scope.name}-metrics-policy",
            namespace=scope.namespace,
            object_name=f"{scope.object_name}-metrics",
            labels=scope.labels,
            to=scope.selector,
            peers=scrapers,
            port=metrics_port,
            opts=scope.opts,
        )
    allow_egress(
        f"{scope.name}-egress-policy",
        namespace=scope.namespace,
        object_name=scope.object_name,
        labels=scope.labels,
        of=scope.selector,
        peers=args.reaches,
        opts=scope.opts,
    )


def _scrapers(metrics: Metrics) -> list[Peer]:
    match metrics:
        case NoMetrics():
            return []
        case ScrapeAnnotations() | ServiceMonitor():
            return [namespace_pods(metrics.from_namespace)]
        case _:
            assert_never(metrics)
