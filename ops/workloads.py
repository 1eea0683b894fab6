"""Workloads and pods of the stack, read into small values."""

from typing import Any

from cluster_objects.json_tree import Json, parts
from cluster_objects.json_tree import part as at
from ops.stack import Stack

COMPONENT = "app.kubernetes.io/component"
"""The label of pods that says which service they are of."""


def labels_of(workload: Json | None) -> dict[str, str]:
    """Returns the labels by which a workload or a Service knows its pods."""
    if workload is None:
        return {}
    if workload.get("kind") == "Cluster":
        # https://cloudnative-pg.io/documentation/current/labels_annotations/
        return {"cnpg.io/cluster": workload["metadata"]["name"], "cnpg.io/podRole": "instance"}
    selector: Any = at(workload, "spec").get("selector") or {}
    return dict(selector.get("matchLabels", selector))


def selector_of(workload: Json) -> str:
    """Returns the label selector of a workload or a Service, as the API takes it."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels_of(workload).items()))


def pods_wanted(workload: Json) -> int:
    """Returns how many pods a workload is to have."""
    spec = at(workload, "spec")
    return int(spec.get("instances" if workload.get("kind") == "Cluster" else "replicas", 1))


def pods_ready(workload: Json) -> int:
    """Returns how many of a workload's pods are ready."""
    key = "readyInstances" if workload.get("kind") == "Cluster" else "readyReplicas"
    return int(at(workload, "status").get(key) or 0)


def mounted_secret(workload: Json) -> str | None:
    """Returns the name of the Secret with what the application's parts share, if pods mount it.

    It is the volume `secrets`; a server may mount others besides, such as that of its metrics.
    """
    found = {
        str(volume.get("name")): str(name)
        for volume in parts(workload, "spec", "template", "spec", "volumes")
        if (name := at(volume, "secret").get("secretName"))
    }
    return found.get("secrets") or next(iter(found.values()), None)


def is_ready(pod: Json) -> bool:
    """Returns whether a pod is ready and stays."""
    conditions = parts(pod, "status", "conditions")
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def restarts(pod: Json) -> int:
    """Returns how often the pod's containers were restarted."""
    states = parts(pod, "status", "containerStatuses")
    return sum(int(state.get("restartCount", 0)) for state in states)


def part_of(stack: Stack, pod: Json) -> str:
    """Returns which part of the application a pod is: a service's name, or its component."""
    labels = at(pod, "metadata", "labels")
    component = str(labels.get(COMPONENT) or labels.get("app.kubernetes.io/name") or "")
    return next((it.name for it in stack.contract.services if it.component == component), component)
