"""The namespace of a TodoStack: what holds for all that is in it."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.metadata.labels import labels, object_name, part_of
from components.metadata.scope import ObjectScope
from components.namespace.namespace import declare_default_sizes, declare_namespace
from components.network.policies import declare_default_deny
from components.todo.settings.settings import Settings
from components.values.metrics import namespace_labels


@dataclass(frozen=True, kw_only=True)
class StackNamespace:
    """The namespace of a stack."""

    scope: ObjectScope
    """What the objects of the stack itself have in common."""
    uid: pulumi.Output[str] | None
    """Its identity: one that is made anew has another. None: it is somebody else's."""


def declare_stack_namespace(
    name: str,
    settings: Settings,
    opts: pulumi.ResourceOptions,
) -> StackNamespace:
    """Declares the namespace with default sizes and default deny.

    In a namespace of others there is but default deny, and that for the stack's own pods alone:
    labels, quota (`quota.py`) and sizes of pods are for its owner to say.

    Args:
        name: The stack's name.
        settings: The stack's settings.
        opts: Options of all children of the stack.

    Returns:
        The namespace, and what the objects of the stack itself have in common.
    """
    adopted = settings.namespace.adopt
    namespace = None if adopted else _namespace(name, settings, opts)
    scope = ObjectScope(
        name=name,
        object_name=name,
        namespace=settings.namespace.name if namespace is None else object_name(namespace),
        instance=name,
        component="application",
        opts=opts,
    )
    if not adopted:
        declare_default_sizes(scope)
    declare_default_deny(
        scope,
        # In a namespace of others, their pods and their policy of that name stay as they are.
        object_prefix=f"{name}-" if adopted else "",
        of=part_of(name) if adopted else {},
        dns_cidrs=settings.cluster.dns_cidrs,
    )
    uid = None if namespace is None else namespace.metadata.apply(lambda it: it.uid or "")
    return StackNamespace(scope=scope, uid=uid)


def _namespace(
    name: str, settings: Settings, opts: pulumi.ResourceOptions
) -> k8s.core.v1.Namespace:
    opt_in = namespace_labels(settings.metrics)
    more = {**settings.namespace.labels, **opt_in, **labels(name, name, "application")}
    return declare_namespace(name, settings.namespace.name, more, opts=opts)
