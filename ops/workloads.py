"""Deployments and StatefulSets of the stack, read into small values."""

from datetime import UTC, datetime
from typing import Any

from ops.json_tree import Json, part, parts
from ops.kube import Cluster
from ops.stack import Stack


def workload_path(cluster: Cluster, role: str, name: str) -> str:
    """Returns the path of a role's Deployment or StatefulSet."""
    kind = "statefulsets" if role == "database" else "deployments"
    return cluster.path(kind, name, "apps/v1")


def selector_of(workload: Json) -> str:
    """Returns the label selector of a workload or a Service, as the API takes it."""
    selector: Any = workload["spec"].get("selector") or {}
    labels = selector.get("matchLabels", selector)
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def mounted_secret(workload: Json) -> str | None:
    """Returns the name of the Secret that a workload's pods mount."""
    for volume in parts(workload, "spec", "template", "spec", "volumes"):
        if name := part(volume, "secret").get("secretName"):
            return str(name)
    return None


def is_ready(pod: Json) -> bool:
    """Returns whether a pod is ready and stays."""
    conditions = parts(pod, "status", "conditions")
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def restarts(pod: Json) -> int:
    """Returns how often the pod's containers were restarted."""
    states = parts(pod, "status", "containerStatuses")
    return sum(int(state.get("restartCount", 0)) for state in states)


def seconds_since(timestamp: str) -> float:
    """Returns the seconds since a time as Kubernetes writes it."""
    return (datetime.now(UTC) - datetime.fromisoformat(timestamp)).total_seconds()


def role_of(stack: Stack, pod: Json) -> str:
    """Returns which part of the application a pod is, or its `component` label."""
    labels: dict[str, str] = pod["metadata"].get("labels") or {}
    name = labels.get("app.kubernetes.io/name", "")
    for role, workload in stack.workloads.items():
        if workload == name:
            return role
    return labels.get("app.kubernetes.io/component", name)
