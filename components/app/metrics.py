"""How Prometheus finds the pods."""

from typing import Any, assert_never

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..values.metrics import NoMetrics, ScrapeAnnotations, ServiceMonitorMetrics
from .args import AppDeploymentArgs
from .service import OF_PODS


def scrape_annotations(args: AppDeploymentArgs) -> dict[str, str]:
    """Returns the pod annotations of the common Prometheus configuration, if they are asked for."""
    if args.metrics_path is None:
        return {}
    match args.metrics:
        case ScrapeAnnotations():
            return {
                "prometheus.io/scrape": "true",
                "prometheus.io/path": args.metrics_path,
                "prometheus.io/port": str(args.metrics_port or args.port),
            }
        case NoMetrics() | ServiceMonitorMetrics():
            return {}
        case _:
            assert_never(args.metrics)


def declare_service_monitor(
    scope: ObjectScope, args: AppDeploymentArgs
) -> k8s.apiextensions.CustomResource | None:
    """Declares a ServiceMonitor, if it is asked for; a port of the pod need not be a Service's."""
    if args.metrics_path is None:
        return None
    match args.metrics:
        case ServiceMonitorMetrics():
            port = {"targetPort": args.metrics_port} if args.metrics_port else {"port": "http"}
            endpoint = {**port, "path": args.metrics_path, "interval": args.metrics.interval}
            return k8s.apiextensions.CustomResource(
                f"{scope.name}-monitor",
                api_version="monitoring.coreos.com/v1",
                kind="ServiceMonitor",
                metadata=scope.metadata(labels=args.metrics.labels),
                spec={"selector": _selector(scope, args), "endpoints": [endpoint]},
                opts=scope.opts,
            )
        case NoMetrics() | ScrapeAnnotations():
            return None
        case _:
            assert_never(args.metrics)


def _selector(scope: ObjectScope, args: AppDeploymentArgs) -> dict[str, Any]:
    """Returns what selects one Service: by another each pod would be asked and counted twice."""
    labels = {"matchLabels": scope.selector}
    if not args.headless:
        return labels
    others = [{"key": key, "operator": "DoesNotExist"} for key in OF_PODS]
    return {**labels, "matchExpressions": others}
