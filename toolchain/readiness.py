"""Whether a workload runs as it was last told to, from what the API server says of it.

The fields are those that `kubectl rollout status` goes by
(https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment).
"""

from __future__ import annotations

from cluster_objects.json_tree import Json, part

WORKLOADS = ("Deployment", "StatefulSet")
"""The kinds whose pods have to be ready."""


def is_ready(workload: Json) -> bool:
    """Returns whether all pods of a Deployment or StatefulSet are ready, and of its last template.

    How many that are is what the object in the cluster says, which an autoscaler may have written,
    or somebody who scaled it down.

    Args:
        workload: The object as the API server has it.
    """
    status = part(workload, "status")
    wanted = part(workload, "spec").get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= part(workload, "metadata").get("generation", 1)
    # A field that is not there is 0.
    pods, updated, ready = (
        status.get(it, 0) for it in ("replicas", "updatedReplicas", "readyReplicas")
    )
    return seen and pods <= updated and updated >= wanted and ready >= wanted
