"""Stopping and starting what writes to the database."""

import time

from ops.failure import Failure
from ops.json_tree import part
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import selector_of, workload_path

_NOTE = "todo-ops/replicas-before-restore"
_SECONDS = 240.0


class Writers:
    """The backend's Deployment; how many pods it had is written on it, so nothing is lost."""

    def __init__(self, stack: Stack, cluster: Cluster) -> None:
        """Names the Deployment; nothing is changed yet."""
        self._cluster = cluster
        self._path = workload_path(cluster, "backend", stack.workloads["backend"])

    def stopped_before(self) -> bool:
        """Returns whether an earlier restore stopped them and was cut off."""
        return _NOTE in part(self._cluster.get(self._path), "metadata", "annotations")

    def stop(self) -> None:
        """Scales to 0 and waits until no pod is left.

        Raises:
            Failure: A pod does not end.
        """
        deployment = self._cluster.get(self._path)
        before = part(deployment, "metadata", "annotations").get(_NOTE)
        note = before or str(deployment["spec"].get("replicas", 1) or 1)
        self._cluster.patch(
            self._path, {"metadata": {"annotations": {_NOTE: note}}, "spec": {"replicas": 0}}
        )
        deadline = time.monotonic() + _SECONDS
        while self._cluster.pods(selector_of(deployment)):
            if time.monotonic() > deadline:
                raise Failure("A backend pod does not end; look at `python -m ops status`.")
            time.sleep(0.5)

    def start(self) -> None:
        """Scales back and waits until all pods are ready; does nothing when nothing was stopped.

        Raises:
            Failure: They do not become ready.
        """
        deployment = self._cluster.get(self._path)
        before = part(deployment, "metadata", "annotations").get(_NOTE)
        if before is None:
            return
        self._cluster.patch(self._path, {"spec": {"replicas": int(before)}})
        deadline = time.monotonic() + _SECONDS
        while part(self._cluster.get(self._path), "status").get("readyReplicas", 0) < int(before):
            if time.monotonic() > deadline:
                raise Failure("The backend does not become ready; run `python -m ops validate`.")
            time.sleep(0.5)
        self._cluster.patch(self._path, {"metadata": {"annotations": {_NOTE: None}}})
        # The number of pods is Pulumi's again.
        self._cluster.disown(self._path)
