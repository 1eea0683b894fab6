"""The namespace of a part: what holds for all that is in it."""

from collections.abc import Mapping
from typing import Literal

import pulumi

from components.metadata.labels import labels
from components.metadata.scope import ObjectScope
from components.namespace.namespace import declare_namespace
from components.network.policies import declare_default_deny


def declare_part_namespace(
    owner: pulumi.ComponentResource,
    name: str,
    *,
    component: str,
    level: Literal["restricted", "baseline", "privileged"] = "restricted",
    more_labels: Mapping[str, str] | None = None,
) -> ObjectScope:
    """Declares a namespace in which nothing may talk until a policy allows it.

    Pulumi keeps it, with what people have put in it; `make addons` and `make addons-down` show and
    remove it (`toolchain/addon_removal.py`).

    Args:
        owner: The part.
        name: Name of the part, its namespace and its objects; the label
            app.kubernetes.io/instance, as the charts set it to the release's name.
        component: The label app.kubernetes.io/component.
        level: The Pod Security Standard that the pods have to meet.
        more_labels: Labels of the namespace besides, by which others choose it.

    Returns:
        What the part's objects have in common: they are in the namespace and wait for it.
    """
    opts = pulumi.ResourceOptions(parent=owner)
    own = {**(more_labels or {}), **labels(name, name, component)}
    namespace = declare_namespace(name, name, own, opts=opts, level=level)
    scope = ObjectScope(
        name=name,
        object_name=name,
        # The name itself, which charts have to know in previews, and not the Namespace's output.
        namespace=name,
        instance=name,
        component=component,
        opts=opts,
    ).after(namespace)
    declare_default_deny(scope, of={})
    return scope
