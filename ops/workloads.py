"""Workloads and pods of the stack, read into small values."""

from datetime import UTC, datetime
from typing import Any

from cluster_objects.json_tree import Json, parts
from cluster_objects.json_tree import part as at
from ops.stack import Stack

_COMPONENT = "app.kubernetes.io/component"


def selector_of(workload: Json) -> str:
    """Returns the label selector of a workload or a Service, as the API takes it."""
    selector: Any = workload["spec"].get("selector") or {}
    labels = selector.get("matchLabels", selector)
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def mounted_secret(workload: Json) -> str | None:
    """Returns the name of the Secret that a workload's pods mount."""
    for volume in parts(workload, "spec", "template", "spec", "volumes"):
        if name := at(volume, "secret").get("secretName"):
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


def part_of(stack: Stack, pod: Json) -> str:
    """Returns which part of the application a pod is: a service's name, or its component."""
    labels = at(pod, "metadata", "labels")
    component = str(labels.get(_COMPONENT) or labels.get("app.kubernetes.io/name") or "")
    return next((it.name for it in stack.contract.services if it.component == component), component)
