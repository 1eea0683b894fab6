"""The same objects for peers: what the program declares, in a namespace of the peer's own."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.commands import command
from bench.namespaces import KUBECTL, delete_namespace
from bench.stack import WORKLOADS


def moved(
    objects: Sequence[dict[str, Any]], namespace: str, ports_from: int
) -> list[dict[str, Any]]:
    """Returns objects for another namespace, without Pulumi's annotations.

    Args:
        objects: What the program declares.
        namespace: Where the peer has them.
        ports_from: The first of its node ports.
    """
    ports = iter(range(ports_from, ports_from + 100))
    return [_moved(it, namespace, ports) for it in objects]


class Kubectl:
    """`kubectl apply -k` of the same objects."""

    namespace = KUBECTL

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def apply(self) -> None:
        """Applies them, and does not wait."""
        command("kubectl", "apply", "-k", self._folder)

    def apply_and_wait(self) -> None:
        """Applies them, and returns when all pods are ready."""
        self.apply()
        wait_ready(self.namespace)

    def remove(self) -> None:
        """Removes them."""
        delete_namespace(self.namespace)


@contextmanager
def kubectl(objects: Sequence[dict[str, Any]]) -> Generator[Kubectl]:
    """Writes objects as a folder for `kubectl apply -k`, and removes it and them at the end."""
    with TemporaryDirectory(prefix="todo-bench-") as folder:
        items = moved(objects, Kubectl.namespace, ports_from=30900)
        Path(folder, "objects.json").write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        )
        Path(folder, "kustomization.yaml").write_text("resources: [objects.json]\n")
        peer = Kubectl(folder)
        try:
            yield peer
        finally:
            peer.remove()


def wait_ready(namespace: str, *workloads: str) -> None:
    """Returns when workloads are ready; all of the application if none is named."""
    for workload in workloads or WORKLOADS:
        command(
            *("kubectl", "--namespace", namespace, "rollout", "status", workload),
            "--timeout=300s",
        )


def _moved(given: dict[str, Any], namespace: str, ports: Iterator[int]) -> dict[str, Any]:
    result = json.loads(json.dumps(given))
    metadata = result["metadata"]
    metadata.pop("annotations", None)
    if result["kind"] == "Namespace":
        metadata["name"] = namespace
    else:
        metadata["namespace"] = namespace
    for port in result.get("spec", {}).get("ports") or () if result["kind"] == "Service" else ():
        if "nodePort" in port:
            port["nodePort"] = next(ports)
    return result
