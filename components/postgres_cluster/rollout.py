"""Waits until the operator has made of a Cluster what it says."""

from dataclasses import dataclass, field
from typing import Any

import pulumi

from ..cluster.api import Api
from ..cluster.pod_obstacle import Obstacle, failed_start, is_ready, obstacle_of
from ..cluster.polling import Polling

_HEALTHY = "Cluster in healthy state"
_HOPELESS = {
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster has incomplete or invalid image catalog",
    "Cluster is unrecoverable and needs manual intervention",
    "Invalid cluster definition",
    "Unable to create required cluster objects",
}
"""Phases that do not pass by themselves (CloudNativePG 1.30, api/v1/cluster_types.go)."""
_STEADY = 5
"""Looks in a row, a second each: the operator begins with a change within one, and the Cluster does
not say which of its generations the phase is of."""


@dataclass(frozen=True)
class ClusterRollout:
    """The rollout of an operator's Clusters."""

    api: Api
    """Requests to the cluster."""
    operator: str
    """The operator's namespace."""
    corrected_in: str
    """What a Cluster that does not get ready is corrected in."""
    polling: Polling = field(default_factory=Polling)

    def wait(self, namespace: str, name: str) -> None:
        """Returns when all instances are ready.

        Raises:
            pulumi.RunError: They cannot start, or are not ready in time.
        """
        obstacle, steady = Obstacle("nobody has looked at it", "get clusters"), 0
        for found in self.polling.findings(lambda: self._look(namespace, name)):
            steady = 0 if found.obstacles else steady + 1
            if steady == _STEADY:
                return
            obstacle = next(iter(found.obstacles.values()), obstacle)
            if found.lasting:
                obstacle = found.lasting
                break
        if obstacle.error:
            raise obstacle.error
        advice = obstacle.to_correct(namespace, self.corrected_in)
        raise pulumi.RunError(f"the database is not ready: Cluster {namespace}/{name}: {advice}")

    def _look(self, namespace: str, name: str) -> dict[str, Obstacle]:
        try:
            return self._obstacles(namespace, name)
        except pulumi.RunError as error:
            # An API server may be away for a moment.
            return {"API server": Obstacle(str(error), "get pods", fatal=True, error=error)}

    def _obstacles(self, namespace: str, name: str) -> dict[str, Obstacle]:
        path = f"/apis/postgresql.cnpg.io/v1/namespaces/{namespace}/clusters/{name}"
        cluster: Any = self.api.request("GET", path)
        if cluster is None:
            return {name: Obstacle("somebody has deleted it", "get clusters", fatal=True)}
        status: dict[str, Any] = cluster.get("status") or {}
        if not status:
            return {name: self._nobody_began()}
        if _is_ready(cluster["spec"], status):
            return {}
        said = ": ".join(it for it in (status.get("phase"), status.get("phaseReason")) if it)
        hopeless = status.get("phase") in _HOPELESS
        whole = Obstacle(said, f"describe cluster {name}", fatal=hopeless)
        # What keeps a pod from starting says more than the phase.
        return {**self._pods(namespace, name), name: whole}

    def _nobody_began(self) -> Obstacle:
        return Obstacle(
            "the operator has not begun with it: see that one runs in the namespace "
            f"{self.operator}",
            "get clusters",
        )

    def _pods(self, namespace: str, name: str) -> dict[str, Obstacle]:
        path = f"/api/v1/namespaces/{namespace}/pods?labelSelector=cnpg.io/cluster={name}"
        found: dict[str, list[Any]] = self.api.request("GET", path) or {}
        return {
            pod["metadata"]["name"]: failed_start(pod) or obstacle_of(pod)
            for pod in found.get("items", ())
            if _is_awaited(pod)
        }


def _is_awaited(pod: Any) -> bool:
    """Returns whether a pod neither is ready, nor has done its work, nor goes."""
    goes = pod["metadata"].get("deletionTimestamp")
    return not (is_ready(pod) or goes or pod["status"].get("phase") == "Succeeded")


def _is_ready(spec: dict[str, Any], status: dict[str, Any]) -> bool:
    return (
        status.get("phase") == _HEALTHY
        and status.get("readyInstances") == spec["instances"]
        and status.get("instances") == spec["instances"]
        and status.get("image") == spec["imageName"]
        and status.get("currentPrimary") == status.get("targetPrimary")
    )
