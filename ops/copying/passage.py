"""Letting one pod connect to another's server for a while, in a namespace where none may talk."""

from types import TracebackType

from cluster_objects.json_tree import Json, part
from console.failure import Failure
from ops.copying.server import Server

_NAME = "database-copy"
_MARK = "todo-ops/copy"
"""Annotation of the policies: one without it is somebody's own."""
_CHANGING = {"controller-revision-hash", "pod-template-hash", "statefulset.kubernetes.io/pod-name"}
"""Labels that Kubernetes itself gives: a policy must hold for the pod after a restart as well."""


class Passage:
    """Two NetworkPolicies, which are there for as long as the context is open."""

    def __init__(self, source: Server, target: Server) -> None:
        """Names the two; nothing is changed yet.

        Args:
            source: Whom the other one connects to.
            target: Who connects.
        """
        self._source, self._target = source, target
        self._cluster = source.cluster

    def __enter__(self) -> None:
        """Lets them talk.

        Raises:
            Failure: One of the pods is gone.
        """
        source, target = self._labels(self._source), self._labels(self._target)
        ports = [{"protocol": "TCP", "port": self._source.port}]
        into = {"from": [{"podSelector": {"matchLabels": target}}], "ports": ports}
        out = {"to": [{"podSelector": {"matchLabels": source}}], "ports": ports}
        close(self._source)
        self._create("in", {"policyTypes": ["Ingress"], "ingress": [into]}, source)
        self._create("out", {"policyTypes": ["Egress"], "egress": [out]}, target)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes it back."""
        close(self._source)

    def _create(self, suffix: str, spec: Json, labels: dict[str, str]) -> None:
        name = f"{_NAME}-{suffix}"
        if self._cluster.find("NetworkPolicy", name):
            raise Failure(
                f"There is a NetworkPolicy {name} that this program did not make, so nothing was "
                "changed; rename or delete it, and run this again."
            )
        metadata = {"name": name, "annotations": {_MARK: "passage"}}
        spec = {"podSelector": {"matchLabels": labels}, **spec}
        self._cluster.create("NetworkPolicy", {"metadata": metadata, "spec": spec})

    def _labels(self, server: Server) -> dict[str, str]:
        pod = self._cluster.find("Pod", server.pod)
        if pod is None:
            raise Failure(f"The pod {server.pod} is gone; run this again.")
        labels: dict[str, str] = pod["metadata"]["labels"]
        return {key: value for key, value in labels.items() if key not in _CHANGING}


def close(server: Server) -> None:
    """Takes back what a copying left of its passage, also one that was cut off."""
    for suffix in ("in", "out"):
        name = f"{_NAME}-{suffix}"
        found = server.cluster.find("NetworkPolicy", name)
        if _MARK in part(found, "metadata", "annotations"):
            server.cluster.delete("NetworkPolicy", name)
