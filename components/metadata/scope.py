"""ObjectScope: what all objects of one component have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self

import pulumi
import pulumi_kubernetes as k8s

from .labels import labels, selector


class NamingArgs(Protocol):
    """Arguments of a component that say how its objects are called, and where they are."""

    @property
    def object_name(self) -> str | None:
        """Name of the Kubernetes objects; None: the component's."""
        ...

    @property
    def namespace(self) -> pulumi.Input[str]:
        """The namespace of them all."""
        ...

    @property
    def instance(self) -> str | None:
        """The label app.kubernetes.io/instance; None: the component's name."""
        ...


@dataclass(frozen=True, kw_only=True)
class ObjectScope:
    """Names, labels and options of the objects of one component."""

    name: str
    """The component's Pulumi name, with which its children's begin."""
    object_name: str
    """The name that the Kubernetes objects have or begin with."""
    namespace: pulumi.Input[str]
    instance: str
    """The label app.kubernetes.io/instance."""
    component: str
    """The label app.kubernetes.io/component."""
    opts: pulumi.ResourceOptions
    """Has the component as the parent."""

    @classmethod
    def of(
        cls, owner: pulumi.ComponentResource, name: str, args: NamingArgs, *, component: str
    ) -> Self:
        """Returns the scope of a component's children.

        Args:
            owner: The component.
            name: Its Pulumi name.
            args: What it was given.
            component: The label app.kubernetes.io/component.
        """
        return cls(
            name=name,
            object_name=args.object_name or name,
            namespace=args.namespace,
            instance=args.instance or name,
            component=component,
            opts=pulumi.ResourceOptions(parent=owner),
        )

    @property
    def labels(self) -> dict[str, str]:
        """The labels of each object."""
        return labels(self.object_name, self.instance, self.component)

    @property
    def selector(self) -> dict[str, str]:
        """The labels that select the pods."""
        return selector(self.object_name, self.instance)

    def metadata(
        self,
        suffix: str = "",
        *,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> k8s.meta.v1.ObjectMetaArgs:
        """Returns the metadata of an object.

        Args:
            suffix: Follows the object's name.
            annotations: Annotations of the object.
            labels: Labels besides those of every object.
        """
        return k8s.meta.v1.ObjectMetaArgs(
            name=f"{self.object_name}{suffix}",
            namespace=self.namespace,
            labels={**self.labels, **(labels or {})},
            annotations=dict(annotations) if annotations else None,
        )

    def unnamed_metadata(self) -> k8s.meta.v1.ObjectMetaArgs:
        """Returns the metadata of an object that Pulumi names, so that a change makes a new one."""
        return k8s.meta.v1.ObjectMetaArgs(namespace=self.namespace, labels=self.labels)

    def part(self, name: str) -> Self:
        """Returns the scope of what belongs to these objects, such as the backup of a database."""
        return replace(
            self,
            name=f"{self.name}-{name}",
            object_name=f"{self.object_name}-{name}",
            component=name,
        )

    def after(self, *resources: pulumi.Resource) -> Self:
        """Returns the same scope for objects that wait for some resources."""
        own = pulumi.ResourceOptions(depends_on=list(resources))
        return replace(self, opts=pulumi.ResourceOptions.merge(self.opts, own))
