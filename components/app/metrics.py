"""How Prometheus finds the pods."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..values.metrics import Metrics, ScrapeAnnotations, ServiceMonitor


def scrape_annotations(metrics: Metrics, path: str | None, port: int) -> dict[str, str] | None:
    """Returns the pod annotations of the common Prometheus configuration, if they are asked for."""
    if path is None or not isinstance(metrics, ScrapeAnnotations):
        return None
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/path": path,
        "prometheus.io/port": str(port),
    }


def service_monitor(
    name: str,
    metrics: Metrics,
    *,
    namespace: pulumi.Input[str],
    object_name: str,
    labels: Mapping[str, str],
    matching: Mapping[str, str],
    path: str,
    port: int | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Declares a ServiceMonitor, if it is asked for; a port of the pod need not be a Service's."""
    if not isinstance(metrics, ServiceMonitor):
        return
    k8s.apiextensions.CustomResource(
        f"{name}-monitor",
        api_version="monitoring.coreos.com/v1",
        kind="ServiceMonitor",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=namespace, labels={**labels, **metrics.labels}
        ),
        spec={
            "selector": {"matchLabels": dict(matching)},
            "endpoints": [
                {
                    **({"targetPort": port} if port else {"port": "http"}),
                    "path": path,
                    "interval": metrics.interval,
                }
            ],
        },
        opts=opts,
    )
