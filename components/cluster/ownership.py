"""Makes a program the owner of what it declares, and of nothing else."""

import copy
from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.patching import PATCH_FORCED
from .guard import Guard
from .provider import forces_patches


def register_ownership(guard: Guard) -> pulumi.ResourceTransformation:
    """Registers the guard's hooks; returns what marks and guards every Kubernetes object.

    Once in a program, since Pulumi knows hooks by name. They run in previews too, and only for what
    is to be created or updated: nothing is asked about what stays as it is.

    A transformation and no transform, which would get the metadata after it was serialized, and
    which mocks do not run: no test of a program would see marks or hooks.
    """
    # The names are what Pulumi prints before a hook's own words.
    on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
    refuse = pulumi.ResourceHook("ownership", guard.refuse_others, on_dry_run)
    keep = pulumi.ResourceHook("ownership by now", guard.refuse_changed_hands, on_dry_run)
    mark = pulumi.ResourceHook(
        "mark of ownership", guard.mark_claims, pulumi.ResourceHookOptions(ignore_errors=True)
    )
    before = pulumi.ResourceHookBinding(before_create=[refuse], before_update=[keep])
    around = pulumi.ResourceHookBinding(
        before_create=[refuse], after_create=[mark], before_update=[keep], after_update=[mark]
    )
    annotations = dict(guard.mark.annotation)
    if not forces_patches():
        annotations.update(PATCH_FORCED)

    def own(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        if not _is_object(args):
            return None
        stateful = args.type_.endswith(":StatefulSet")
        hooks = pulumi.ResourceOptions(hooks=around if stateful else before)
        metadata = annotated(args.props.get("metadata"), annotations)
        return pulumi.ResourceTransformationResult(
            {**args.props, "metadata": metadata}, pulumi.ResourceOptions.merge(args.opts, hooks)
        )

    return own


def _is_object(args: pulumi.ResourceTransformationArgs) -> bool:
    """Tells objects from charts and lists, from what is only read, and from patches of others'.

    The type `kubernetes:core/v1:NamespacePatch` has the kind Namespace.
    """
    kind = args.type_.rpartition(":")[2]
    own = args.type_.startswith("kubernetes:") and args.props.get("kind") == kind
    return own and not kind.endswith("List")


def annotated(metadata: object, annotations: Mapping[str, str]) -> Any:
    """Returns an object's metadata with more annotations.

    Args:
        metadata: As the object has it: arguments, a mapping, an output of either, or nothing.
        annotations: Those to add.
    """
    if isinstance(metadata, pulumi.Output):
        later = cast("pulumi.Output[object]", metadata)
        return later.apply(lambda known: annotated(known, annotations))
    if isinstance(metadata, k8s.meta.v1.ObjectMetaArgs):
        # A copy, since one and the same may be the metadata of several objects.
        own = copy.copy(metadata)
        own.annotations = _merged(metadata.annotations, annotations)
        return own
    fields = cast("Mapping[str, Any]", metadata or {})
    return {**fields, "annotations": _merged(fields.get("annotations"), annotations)}


def _merged(given: object, more: Mapping[str, str]) -> Any:
    if isinstance(given, pulumi.Output):
        later = cast("pulumi.Output[object]", given)
        return later.apply(lambda known: _merged(known, more))
    return {**cast("Mapping[str, Any]", given or {}), **more}
