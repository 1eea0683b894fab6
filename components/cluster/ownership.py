"""Makes the program the owner of what it declares, and of nothing else."""

import copy
from collections.abc import Collection, Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s

from ..todo.settings.settings import ClusterSettings
from .client import ClusterApi
from .guard import MARK, Guard
from .live_objects import LiveObjects

_FORCE = {"pulumi.com/patchForce": "true"}


class Ownership:
    """Marks every Kubernetes object as the stack's own, and refuses those of others.

    One for a program, since Pulumi knows its hooks by name. They run in previews too, and only for
    what is to be created or updated: nothing is asked about what stays as it is.
    """

    def __init__(
        self, owner: str, cluster: ClusterSettings, *, adopted: Collection[str] = ()
    ) -> None:
        """Registers the hooks.

        Args:
            owner: The stack's identity.
            cluster: Where the objects are.
            adopted: Namespaces of others that the stack is to use.
        """
        self._owner = owner
        guard = Guard(owner, LiveObjects(ClusterApi(cluster)), adopted=adopted)
        # The names are what Pulumi prints before a hook's own words.
        on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
        refuse = pulumi.ResourceHook("ownership", guard.refuse_others, on_dry_run)
        keep = pulumi.ResourceHook("ownership by now", guard.refuse_changed_hands, on_dry_run)
        self._before = pulumi.ResourceHookBinding(before_create=[refuse], before_update=[keep])
        mark = pulumi.ResourceHook(
            "mark of ownership", guard.mark_claims, pulumi.ResourceHookOptions(ignore_errors=True)
        )
        self._around = pulumi.ResourceHookBinding(
            before_create=[refuse],
            after_create=[mark],
            before_update=[keep],
            after_update=[mark],
        )

    def own(
        self, args: pulumi.ResourceTransformationArgs
    ) -> pulumi.ResourceTransformationResult | None:
        """Adds mark and hooks to a Kubernetes object; a transformation of resources."""
        if not args.type_.startswith("kubernetes:"):
            return None
        stateful = args.type_.endswith(":StatefulSet")
        hooks = pulumi.ResourceOptions(hooks=self._around if stateful else self._before)
        metadata = own_fields(args.props.get("metadata"), {MARK: self._owner})
        return pulumi.ResourceTransformationResult(
            {**args.props, "metadata": metadata}, pulumi.ResourceOptions.merge(args.opts, hooks)
        )


def own_fields(metadata: object, marks: Mapping[str, str]) -> Any:
    """Returns an object's metadata with these annotations, and as the owner of its fields.

    So `pulumi up` takes back a declared field that somebody has changed by hand. Without it,
    server-side apply refuses the whole object after, say, `kubectl scale`, with a field conflict.
    Fields that the program does not declare, such as an autoscaler's replicas, stay with whoever
    set them.

    Args:
        metadata: As the object has it: arguments, a mapping, an output of either, or nothing.
        marks: Annotations to add.
    """
    if isinstance(metadata, pulumi.Output):
        later = cast("pulumi.Output[object]", metadata)
        return later.apply(lambda given: own_fields(given, marks))
    if isinstance(metadata, k8s.meta.v1.ObjectMetaArgs):
        # A copy, since one and the same may be the metadata of several objects.
        own = copy.copy(metadata)
        own.annotations = _annotated(metadata.annotations, marks)
        return own
    fields = cast("Mapping[str, Any]", metadata or {})
    return {**fields, "annotations": _annotated(fields.get("annotations"), marks)}


def _annotated(given: object, marks: Mapping[str, str]) -> Any:
    if isinstance(given, pulumi.Output):
        later = cast("pulumi.Output[object]", given)
        return later.apply(lambda known: _annotated(known, marks))
    return {**cast("Mapping[str, Any]", given or {}), **marks, **_FORCE}
