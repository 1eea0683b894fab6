"""What a deployed stack says about itself: to operations, and which objects it consists of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from console.failure import ExitCode, Failure
from ops.contract import Database, InClusterDatabase, Operations, Secret, Service, operations_in
from ops.json_tree import part, parts
from ops.pulumi_stack import PulumiStack


@dataclass(frozen=True)
class ManagedObject:
    """A Kubernetes object that Pulumi manages."""

    api_version: str
    kind: str
    name: str
    namespace: str


class Stack:
    """One deployed stack."""

    def __init__(self, project: Path, stack: str | None) -> None:
        """Names the stack; nothing is read yet.

        Args:
            project: Folder with Pulumi.yaml.
            stack: The stack's name; None: the selected one.
        """
        self.pulumi = PulumiStack(project, stack)

    @cached_property
    def operations(self) -> Operations:
        """What the stack's outputs say to operations.

        Raises:
            Failure: There are none, or those of another version of the program.
        """
        return operations_in(self.pulumi.outputs())

    @property
    def services(self) -> tuple[Service, ...]:
        """The application's Deployments and StatefulSets."""
        return self.operations.services

    def service(self, name: str) -> Service:
        """Returns the service of a name.

        Raises:
            Failure: The stack has none.
        """
        found = self.operations.service(name)
        if found is None:
            known = ", ".join(it.name for it in self.services)
            raise Failure(f"This stack has no service {name}; it has {known}.", ExitCode.USAGE)
        return found

    def of_role(self, role: str) -> Service:
        """Returns the service that has a role.

        Raises:
            Failure: The stack has none.
        """
        found = self.operations.of_role(role)
        if found is None:
            raise Failure(f"This stack has no {role}.", ExitCode.USAGE)
        return found

    def secret(self, name: str) -> Secret:
        """Returns a secret.

        Raises:
            Failure: The stack has no such secret.
        """
        found = self.operations.secret(name)
        if found is None:
            raise Failure(f"This stack has no secret {name}.", ExitCode.USAGE)
        return found

    @property
    def database(self) -> Database:
        """The database's address, and where its server is."""
        return self.operations.database

    @property
    def server(self) -> InClusterDatabase | None:
        """The database's server, where it runs in the cluster."""
        return self.database if isinstance(self.database, InClusterDatabase) else None

    def required_server(self) -> InClusterDatabase:
        """Returns the database's server.

        Raises:
            Failure: The database is outside the cluster.
        """
        if self.server is None:
            raise Failure(
                f"This stack's database is outside the cluster (at {self.database.host}); use the "
                "tools of whoever runs it.",
                ExitCode.USAGE,
            )
        return self.server

    def objects(self) -> list[ManagedObject]:
        """Returns every Kubernetes object that Pulumi remembers for this stack."""
        return objects_in(self.pulumi.export())


def objects_in(export: Mapping[str, Any]) -> list[ManagedObject]:
    """Returns the Kubernetes objects in the text of `pulumi stack export`."""
    found: list[ManagedObject] = []
    for resource in parts(export, "deployment", "resources"):
        outputs = part(resource, "outputs")
        if not str(resource.get("type", "")).startswith("kubernetes:") or resource.get("delete"):
            continue
        metadata = part(outputs, "metadata")
        if not outputs.get("apiVersion") or not metadata.get("name"):
            continue
        found.append(
            ManagedObject(
                outputs["apiVersion"],
                outputs["kind"],
                metadata["name"],
                metadata.get("namespace") or "",
            )
        )
    return found
