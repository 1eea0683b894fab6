"""Stopping and starting what writes to the database."""

from cluster_objects.json_tree import Json, part
from console.waiting import wait_until
from ops.contract import Service
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import selector_of

_BEFORE = "todo-ops/replicas-before-restore"
_SECONDS = 240.0


class Writers:
    """The services that write; how many pods each had is noted on it, so nothing is lost."""

    def __init__(self, stack: Stack, cluster: Cluster) -> None:
        """Names them; nothing is changed yet."""
        self._cluster = cluster
        self._services = [it for it in stack.contract.services if it.writes_to_database]

    def stop(self) -> None:
        """Scales to 0 and waits until no pod is left.

        Raises:
            Failure: A pod does not end.
        """
        workloads = {it.name: self._get(it) for it in self._services}
        for it in self._services:
            workload = workloads[it.name]
            before = _before(workload) or str(workload["spec"].get("replicas", 1) or 1)
            note = {"annotations": {_BEFORE: before}}
            self._patch(it, {"metadata": note, "spec": {"replicas": 0}})
        for it in self._services:
            selector = selector_of(workloads[it.name])
            wait_until(
                lambda selector=selector: not self._cluster.pods(selector),
                _SECONDS,
                f"A {it.name} pod does not end; look at `python -m ops status`.",
            )

    def start(self) -> None:
        """Scales back and waits until all pods are ready; does nothing when nothing was stopped.

        Raises:
            Failure: They do not become ready.
        """
        stopped = {it: int(found) for it in self._services if (found := _before(self._get(it)))}
        for it, pods in stopped.items():
            self._patch(it, {"spec": {"replicas": pods}})
        for it, pods in stopped.items():
            wait_until(
                lambda it=it, pods=pods: self._ready(it) >= pods,
                _SECONDS,
                f"The {it.name} does not become ready; run `python -m ops validate`.",
            )
            self._patch(it, {"metadata": {"annotations": {_BEFORE: None}}})
            # The number of pods is Pulumi's again.
            self._cluster.release_fields(it.kind, it.workload)

    def _get(self, service: Service) -> Json:
        return self._cluster.get(service.kind, service.workload)

    def _patch(self, service: Service, body: Json) -> None:
        self._cluster.patch(service.kind, service.workload, body)

    def _ready(self, service: Service) -> int:
        return int(part(self._get(service), "status").get("readyReplicas", 0))


def _before(workload: Json) -> str | None:
    return part(workload, "metadata", "annotations").get(_BEFORE)
