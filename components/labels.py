"""The recommended labels (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/)."""

from collections.abc import Mapping

def selector(name: str, instance: str) -> dict[str, str]:
    """Returns the two labels that select an application's pods; immutable in Deployments and StatefulSets."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": instance}


def labels(
    name: str, instance: str, component: str, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Returns the labels of an object; the version is left out, since pods with it roll when it changes."""
    return {
        **selector(name, instance),
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": instance,
        "app.kubernetes.io/managed-by": "pulumi",
        **(extra or {}),
    }
