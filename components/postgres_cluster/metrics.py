"""How Prometheus finds the instances: each answers by itself, without an exporter beside it."""

from typing import assert_never

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..values.metrics import Metrics, NoMetrics, ScrapeAnnotations, ServiceMonitorMetrics
from .network import METRICS_PORT


def scrape_annotations(metrics: Metrics) -> dict[str, str]:
    """Returns the pod annotations of the common Prometheus configuration, if they are asked for."""
    match metrics:
        case ScrapeAnnotations():
            return {
                "prometheus.io/scrape": "true",
                "prometheus.io/path": "/metrics",
                "prometheus.io/port": str(METRICS_PORT),
            }
        case NoMetrics() | ServiceMonitorMetrics():
            return {}
        case _:
            assert_never(metrics)


def declare_pod_monitor(
    scope: ObjectScope, metrics: Metrics
) -> k8s.apiextensions.CustomResource | None:
    """Declares a PodMonitor, if it is asked for: no Service has the port."""
    match metrics:
        case ServiceMonitorMetrics():
            endpoint = {"port": "metrics", "interval": metrics.interval}
            return k8s.apiextensions.CustomResource(
                f"{scope.name}-monitor",
                api_version="monitoring.coreos.com/v1",
                kind="PodMonitor",
                metadata=scope.metadata(labels=metrics.labels),
                spec={
                    "selector": {"matchLabels": scope.selector},
                    "podMetricsEndpoints": [endpoint],
                },
                opts=scope.opts,
            )
        case NoMetrics() | ScrapeAnnotations():
            return None
        case _:
            assert_never(metrics)
