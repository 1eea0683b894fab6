"""The recommended labels (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/)."""

from typing import Protocol

import pulumi
import pulumi_kubernetes as k8s


def selector(name: str, instance: str) -> dict[str, str]:
    """Returns the two labels that select an application's pods; workloads cannot change them."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": instance}


def part_of(instance: str) -> dict[str, str]:
    """Returns the two labels that select all pods of an instance, whatever their names."""
    return {"app.kubernetes.io/part-of": instance, "app.kubernetes.io/instance": instance}


def labels(name: str, instance: str, component: str) -> dict[str, str]:
    """Returns the labels of an object.

    `app.kubernetes.io/version` is left out: the image's tag says it, and a label that changes with
    every release would roll pods that did not change.
    """
    return {
        **selector(name, instance),
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": instance,
        "app.kubernetes.io/managed-by": "pulumi",
    }


class _Named(Protocol):
    @property
    def metadata(self) -> pulumi.Output[k8s.meta.v1.outputs.ObjectMeta]: ...


def object_name(resource: _Named) -> pulumi.Output[str]:
    """Returns the name an object has in the cluster, which Pulumi may have chosen."""
    return resource.metadata.apply(lambda metadata: metadata.name or "")
