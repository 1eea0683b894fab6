"""The namespace of a TodoStack: what holds for all that is in it."""

from collections.abc import Sequence

import pulumi

from components.metadata.labels import labels, object_name, part_of
from components.metadata.scope import ObjectScope
from components.namespace.namespace import (
    declare_default_sizes,
    declare_namespace,
    declare_quota,
)
from components.network.policies import declare_default_deny
from components.todo.quota import quota_of
from components.todo.service import AnyService
from components.todo.settings.settings import Settings


def declare_stack_namespace(
    name: str,
    settings: Settings,
    services: Sequence[AnyService],
    opts: pulumi.ResourceOptions,
) -> ObjectScope:
    """Declares the namespace with quota, default sizes and default deny.

    In a namespace of others there is but default deny, and that for the stack's own pods alone:
    labels, quota and sizes of pods are for its owner to say.

    Args:
        name: The stack's name.
        settings: The stack's settings.
        services: What the quota has to be enough for.
        opts: Options of all children of the stack.

    Returns:
        What the objects of the stack itself have in common.
    """
    adopted = settings.namespace.adopt
    scope = ObjectScope(
        name=name,
        object_name=name,
        namespace=settings.namespace.name if adopted else _namespace(name, settings, opts),
        instance=name,
        component="application",
        opts=opts,
    )
    if not adopted:
        declare_quota(scope, quota_of(services))
        declare_default_sizes(scope)
    declare_default_deny(
        scope,
        # In a namespace of others, their pods and their policy of that name stay as they are.
        object_prefix=f"{name}-" if adopted else "",
        of=part_of(name) if adopted else {},
        dns_cidrs=settings.cluster.dns_cidrs,
    )
    return scope


def _namespace(name: str, settings: Settings, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    more = {**settings.namespace.labels, **labels(name, name, "application")}
    return object_name(declare_namespace(name, settings.namespace.name, more, opts=opts))
