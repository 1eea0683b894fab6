"""What several checks of `validate` look at, read once."""

from dataclasses import dataclass
from functools import cached_property

from cluster_objects.json_tree import Json, part
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import labels_of


@dataclass
class Facts:
    """What several checks look at, read once."""

    stack: Stack
    cluster: Cluster

    @cached_property
    def pods(self) -> list[Json]:
        """The namespace's pods."""
        return self.cluster.pods()

    @cached_property
    def events(self) -> list[Json]:
        """The namespace's events, oldest first."""
        events = self.cluster.items("Event")
        return sorted(events, key=lambda e: e.get("lastTimestamp") or e.get("eventTime") or "")

    @cached_property
    def workloads(self) -> dict[str, Json | None]:
        """Name of a service to its Deployment, StatefulSet or Cluster."""
        return {
            it.name: self.cluster.find(it.kind, it.workload) for it in self.stack.contract.services
        }

    def pods_of(self, name: str) -> list[Json]:
        """The pods of one service."""
        wanted = labels_of(self.workloads.get(name))
        return [
            pod
            for pod in self.pods
            if wanted and wanted.items() <= part(pod, "metadata", "labels").items()
        ]
