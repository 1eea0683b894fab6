"""What several checks of `validate` look at, read once."""

from dataclasses import dataclass
from functools import cached_property

from ops.json_tree import Json, part
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import workload_path


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
        events = self.cluster.items(self.cluster.path("events"))
        return sorted(events, key=lambda e: e.get("lastTimestamp") or e.get("eventTime") or "")

    @cached_property
    def workloads(self) -> dict[str, Json | None]:
        """Role to Deployment or StatefulSet."""
        return {
            role: self.cluster.find(workload_path(self.cluster, role, name))
            for role, name in self.stack.workloads.items()
        }

    def pods_of(self, role: str) -> list[Json]:
        """The pods of one part."""
        workload = self.workloads.get(role)
        wanted = part(workload, "spec", "selector", "matchLabels")
        return [
            pod
            for pod in self.pods
            if wanted and wanted.items() <= part(pod, "metadata", "labels").items()
        ]
