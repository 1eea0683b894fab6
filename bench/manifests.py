"""The same objects for kubectl: what the program declares, in a namespace of kubectl's own."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.timing import command

NAMESPACE = "todo-bench-kubectl"
_NODE_PORTS_FROM = 30892


@contextmanager
def kustomization(objects: Sequence[dict[str, Any]]) -> Generator[str]:
    """Writes objects as a folder for `kubectl apply -k`, and removes it and them at the end."""
    with TemporaryDirectory(prefix="todo-bench-") as folder:
        ports = iter(range(_NODE_PORTS_FROM, _NODE_PORTS_FROM + 100))
        moved = [_moved(it, ports) for it in objects]
        Path(folder, "objects.json").write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": moved})
        )
        Path(folder, "kustomization.yaml").write_text("resources: [objects.json]\n")
        try:
            yield folder
        finally:
            delete_namespace(NAMESPACE)


def delete_namespace(name: str) -> None:
    """Removes a namespace with all that is in it, if it is there."""
    command("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait")


def _moved(given: dict[str, Any], ports: Iterator[int]) -> dict[str, Any]:
    moved = json.loads(json.dumps(given))
    metadata = moved["metadata"]
    metadata.pop("annotations", None)
    if moved["kind"] == "Namespace":
        metadata["name"] = NAMESPACE
    else:
        metadata["namespace"] = NAMESPACE
    for port in moved.get("spec", {}).get("ports") or () if moved["kind"] == "Service" else ():
        if "nodePort" in port:
            port["nodePort"] = next(ports)
    return moved
