"""kube-state-metrics: what Kubernetes knows of its objects, as far as an alert needs it."""

import json
from typing import Final

from addons.cluster_reader import Readable, declare_cluster_reader
from addons.monitoring.scraping import SCRAPED
from cluster_objects.stack_mark import ANNOTATION_PREFIX
from components.app.app_deployment import AppDeployment, AppDeploymentArgs
from components.metadata.labels import selector
from components.metadata.scope import ObjectScope
from components.network.api_server import API_SERVER
from components.pod.probes import HttpProbe
from components.values.resources import Resources
from components.values.scaling import Fixed

NAME: Final = "kube-state-metrics"
PORT: Final = 8080
_OWN_PORT = 8081
"""Where it tells how it is itself."""
METRICS: Final = (
    "kube_cronjob_annotations",
    "kube_cronjob_created",
    "kube_cronjob_next_schedule_time",
    "kube_cronjob_spec_suspend",
    "kube_cronjob_status_last_schedule_time",
    "kube_cronjob_status_last_successful_time",
    "kube_deployment_annotations",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
    "kube_namespace_labels",
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_status_waiting_reason",
    "kube_pod_init_container_status_waiting_reason",
    "kube_scheduledbackup_status_last_schedule_time",
    "kube_scheduledbackup_status_next_schedule_time",
    "kube_statefulset_replicas",
    "kube_statefulset_status_replicas_ready",
)
"""What it makes; a test holds the alerts and the dashboards against it."""
ANNOTATIONS: Final = {
    "cronjobs": f"{ANNOTATION_PREFIX}/restore-drill",
    "deployments": f"{ANNOTATION_PREFIX}/drift",
}
"""Where operations note what they found, by kind."""
_SCHEDULED_BACKUPS = {
    "groupVersionKind": {"group": "postgresql.cnpg.io", "version": "v1", "kind": "ScheduledBackup"},
    "metricNamePrefix": "kube_scheduledbackup_status",
    "labelsFromPath": {
        "namespace": ["metadata", "namespace"],
        "scheduledbackup": ["metadata", "name"],
    },
    "metrics": [
        {
            "name": f"{which}_schedule_time",
            "help": f"When the {which} base backup was or is due",
            "each": {"type": "Gauge", "gauge": {"path": ["status", f"{which}ScheduleTime"]}},
        }
        for which in ("last", "next")
    ],
}
"""What it tells of CloudNativePG's base backups, where a cluster has them."""
_RESOURCES = Resources(
    cpu_request="10m", cpu_limit="200m", memory_request="32Mi", memory_limit="128Mi"
)
_READABLE = (
    Readable(group="", resources=["namespaces", "pods"]),
    Readable(group="apps", resources=["deployments", "statefulsets"]),
    Readable(group="batch", resources=["cronjobs"]),
)
_READABLE_IF_THERE = (
    # To see whether the cluster has the kind.
    Readable(group="apiextensions.k8s.io", resources=["customresourcedefinitions"]),
    Readable(group="postgresql.cnpg.io", resources=["scheduledbackups"]),
)


def declare_state_metrics(scope: ObjectScope, image: str, *, asked_by: str) -> AppDeployment:
    """Declares kube-state-metrics.

    Args:
        scope: The part's.
        image: What runs.
        asked_by: Name of the objects of Prometheus.
    """
    app = AppDeployment(
        f"{scope.name}-{NAME}",
        AppDeploymentArgs(
            object_name=NAME,
            instance=scope.instance,
            component="metrics",
            namespace=scope.namespace,
            image=image,
            args=[
                f"--port={PORT}",
                f"--telemetry-port={_OWN_PORT}",
                f"--resources={','.join(kind for it in _READABLE for kind in it.resources)}",
                f"--custom-resource-state-config={custom_resources()}",
                f"--metric-allowlist={','.join(METRICS)}",
                f"--metric-labels-allowlist=namespaces=[{SCRAPED}]",
                "--metric-annotations-allowlist="
                + ",".join(f"{kind}=[{key}]" for kind, key in ANNOTATIONS.items()),
            ],
            port=PORT,
            liveness=HttpProbe("/healthz"),
            readiness=HttpProbe("/readyz", port=_OWN_PORT),
            resources=_RESOURCES,
            scaling=Fixed(replicas=1),
            pre_stop_seconds=0,
            api_token=True,
            network_policies=True,
            clients=[selector(asked_by, scope.instance)],
            reaches=API_SERVER,
            dns_cidrs=None,
        ),
        scope.opts,
    )
    declare_cluster_reader(scope.part(NAME), app.service_account, [*_READABLE, *_READABLE_IF_THERE])
    return app


def custom_resources() -> str:
    """Returns what it is told of kinds that it does not know by itself."""
    spec = {"resources": [_SCHEDULED_BACKUPS]}
    return json.dumps({"kind": "CustomResourceStateMetrics", "spec": spec})
