"""What a deployed stack says about itself: to operations, and which objects it consists of."""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cluster_objects.json_tree import part, parts
from ops.contract import Database, Operations, operations_in
from ops.pulumi_stack import PulumiStack


@dataclass(frozen=True)
class ManagedObject:
    """A Kubernetes object that Pulumi manages."""

    api_version: str
    kind: str
    name: str
    namespace: str
    uid: str = ""
    """By which the cluster tells it from one of that name made later; empty: Pulumi has none."""


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
    def contract(self) -> Operations:
        """What the stack's outputs say to operations.

        Raises:
            Failure: There are none, or those of another version of the program.
        """
        return operations_in(self.pulumi.outputs())

    def with_database(self, other: Database) -> "Stack":
        """Returns the same stack with another database: all that asks a database asks that one."""
        stack = copy(self)
        vars(stack)["contract"] = self.contract.model_copy(update={"database": other})
        return stack

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
                metadata.get("uid") or "",
            )
        )
    return found
