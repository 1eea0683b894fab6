"""What a deployed stack says about itself: its outputs, and the objects it consists of."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from ops.failure import ExitCode, Failure
from ops.json_tree import part, parts
from ops.pulumi_command import Pulumi

_ADDRESS = re.compile(r"postgresql://(?P<user>[^@]+)@(?P<host>[^:/]+):(?P<port>\d+)/(?P<name>.+)")


@dataclass(frozen=True)
class Known:
    """A Kubernetes object that Pulumi manages."""

    api_version: str
    kind: str
    name: str
    namespace: str | None

    @property
    def path(self) -> str:
        """The object's path on the API server."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        kind = self.kind.lower()
        plural = f"{kind[:-1]}ies" if kind.endswith("y") else kind + "s" * (1 + kind.endswith("s"))
        if kind.endswith("s"):
            plural = f"{kind}es"
        middle = f"namespaces/{self.namespace}/" if self.namespace else ""
        return f"{root}{self.api_version}/{middle}{plural}/{self.name}"


@dataclass(frozen=True)
class Database:
    """The parts of the database's address."""

    user: str
    host: str
    port: int
    name: str


class Stack:
    """One deployed stack."""

    def __init__(self, project: Path, stack: str | None) -> None:
        """Names the stack; nothing is read yet.

        Args:
            project: Folder with Pulumi.yaml.
            stack: The stack's name; None: the selected one.
        """
        self.pulumi = Pulumi(project, stack)

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs.

        Raises:
            Failure: There are none.
        """
        outputs = cast(
            "dict[str, Any]", json.loads(self.pulumi.text("stack", "output", "--json", seconds=60))
        )
        if not outputs.get("namespace"):
            raise Failure(
                "The stack has no outputs, so it is not deployed; run `make up` (or pulumi up) "
                "first.",
                ExitCode.UNREACHABLE,
            )
        return outputs

    @property
    def namespace(self) -> str:
        """The application's namespace."""
        return str(self.outputs["namespace"])

    @property
    def workloads(self) -> dict[str, str]:
        """Role (backend, frontend, database) to the name of its Deployment or StatefulSet."""
        workloads = cast("dict[str, str | None]", self.outputs.get("workloads") or {})
        return {role: name for role, name in workloads.items() if name}

    @property
    def ports(self) -> dict[str, int]:
        """Role to the port of its Service."""
        return {role: int(port) for role, port in dict(self.outputs.get("ports") or {}).items()}

    @property
    def database(self) -> Database:
        """The database's address."""
        match = _ADDRESS.fullmatch(str(self.outputs.get("databaseAddress", "")))
        if not match:
            raise Failure("The output databaseAddress is not an address; run pulumi up again.")
        return Database(match["user"], match["host"], int(match["port"]), match["name"])

    def database_pod(self) -> str:
        """Returns the pod of the server.

        Raises:
            Failure: The database is outside the cluster.
        """
        if "database" not in self.workloads:
            raise Failure(
                f"This stack's database is outside the cluster (at {self.database.host}); use the "
                "tools of whoever runs it.",
                ExitCode.USAGE,
            )
        return f"{self.workloads['database']}-0"

    def objects(self) -> list[Known]:
        """Returns every Kubernetes object that Pulumi remembers for this stack."""
        return objects_in(self.export())

    def export(self) -> Mapping[str, Any]:
        """Returns the stack's state, its secrets encrypted."""
        return json.loads(self.pulumi.text("stack", "export", seconds=60))


def objects_in(export: Mapping[str, Any]) -> list[Known]:
    """Returns the Kubernetes objects in the text of `pulumi stack export`."""
    found: list[Known] = []
    for resource in parts(export, "deployment", "resources"):
        outputs = part(resource, "outputs")
        if not str(resource.get("type", "")).startswith("kubernetes:") or resource.get("delete"):
            continue
        metadata = part(outputs, "metadata")
        if not outputs.get("apiVersion") or not metadata.get("name"):
            continue
        found.append(
            Known(
                outputs["apiVersion"],
                outputs["kind"],
                metadata["name"],
                metadata.get("namespace") if outputs["kind"] != "Namespace" else None,
            )
        )
    return found
