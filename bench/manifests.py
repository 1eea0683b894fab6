"""The same objects for peers: what the program declares, in a namespace of the peer's own."""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class Counterpart:
    """The same objects as a peer deploys them."""

    namespace: str
    deploy: Callable[[], object]
    """Makes them, or brings them up to date, and does not wait."""

    def deploy_and_wait(self) -> None:
        """Deploys them, and returns when all pods are ready.

        Not by a peer's own waiting: Helm's `--wait` also waits for claims, and that of the backups
        is bound by the first backup.
        """
        self.deploy()
        wait_ready(self.namespace)

    def remove(self) -> None:
        """Removes them with all that is in their namespace."""
        delete_namespace(self.namespace)


@contextmanager
def kubectl(objects: Sequence[dict[str, Any]]) -> Generator[Counterpart]:
    """Writes objects as a folder for `kubectl apply -k`, and removes it and them at the end."""
    with TemporaryDirectory(prefix="todo-bench-") as folder:
        items = moved(objects, KUBECTL, ports_from=30900)
        Path(folder, "objects.json").write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        )
        Path(folder, "kustomization.yaml").write_text("resources: [objects.json]\n")
        applying = ("kubectl", "apply", "-k", folder)
        peer = Counterpart(namespace=KUBECTL, deploy=lambda: command(*applying))
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
