"""What Prometheus asks, and what it keeps of the answers."""

from collections.abc import Sequence
from typing import Any, Final

from components.app.args import CONFIG_PATH

SCRAPED: Final = "prometheus.io/scrape"
"""The label by which a namespace opts in, and the annotation by which its pods do."""
INTERVAL: Final = "15s"

_Job = dict[str, Any]
_SECRETS = "/var/run/secrets/kubernetes.io/serviceaccount"


def prometheus_config(state_metrics: str, alertmanager: str, *, days: int, size: int) -> _Job:
    """Returns the configuration of Prometheus.

    Args:
        state_metrics: Host and port of kube-state-metrics.
        alertmanager: Host and port of Alertmanager.
        days: How long metrics are kept at most.
        size: How many bytes of them at most.
    """
    return {
        "storage": {"tsdb": {"retention": {"time": f"{days}d", "size": f"{size}B"}}},
        "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": [f"{CONFIG_PATH}/*.rules.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            _pods(),
            _kubelets(),
            {
                "job_name": "kube-state-metrics",
                # Its metrics say themselves which namespace and pod they are about.
                "honor_labels": True,
                "static_configs": [{"targets": [state_metrics]}],
            },
        ],
    }


def _pods() -> _Job:
    """Pods with the common annotations, in namespaces with the label of the same name."""
    address = "__meta_kubernetes_pod_ip", "__meta_kubernetes_pod_annotation_prometheus_io_port"
    return {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", "attach_metadata": {"namespace": True}}],
        "relabel_configs": [
            _keep("__meta_kubernetes_namespace_label_prometheus_io_scrape", "true"),
            _keep("__meta_kubernetes_pod_annotation_prometheus_io_scrape", "true"),
            _keep("__meta_kubernetes_pod_phase", "Running"),
            # There is a target for each port of each container; alike ones become one.
            _set("__address__", address, "(.+\\..+);(\\d+)", "$1:$2"),
            _set("__address__", address, "(.+:.+);(\\d+)", "[$1]:$2"),
            _set(
                "__metrics_path__",
                ["__meta_kubernetes_pod_annotation_prometheus_io_path"],
                "(.+)",
                "$1",
            ),
            _set("namespace", ["__meta_kubernetes_namespace"], "(.*)", "$1"),
            _set("pod", ["__meta_kubernetes_pod_name"], "(.*)", "$1"),
            _set("app", ["__meta_kubernetes_pod_label_app_kubernetes_io_name"], "(.*)", "$1"),
        ],
    }


def _kubelets() -> _Job:
    """How full the volumes are: that the kubelets alone know."""
    return {
        "job_name": "kubelets",
        "scheme": "https",
        "authorization": {"credentials_file": f"{_SECRETS}/token"},
        # Most clusters' kubelets sign their certificates themselves; what they say is no secret,
        # and the token is good for nothing but asking them.
        "tls_config": {"ca_file": f"{_SECRETS}/ca.crt", "insecure_skip_verify": True},
        "kubernetes_sd_configs": [{"role": "node"}],
        "metric_relabel_configs": [
            {
                "source_labels": ["__name__"],
                "regex": "kubelet_volume_stats_(available|capacity)_bytes",
                "action": "keep",
            }
        ],
    }


def _keep(label: str, value: str) -> _Job:
    return {"source_labels": [label], "regex": value, "action": "keep"}


def _set(target: str, sources: Sequence[str], pattern: str, replacement: str) -> _Job:
    return {
        "target_label": target,
        "source_labels": [*sources],
        "regex": pattern,
        "replacement": replacement,
    }
