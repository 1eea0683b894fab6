"""Makes the program the owner of every field it declares."""

import pulumi
import pulumi_kubernetes as k8s

_FORCE = {"pulumi.com/patchForce": "true"}


def own_fields(
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    """Lets `pulumi up` take back a declared field that somebody has changed by hand.

    Without it, server-side apply refuses the whole object after, say, `kubectl scale`, with a field
    conflict. Fields that the program does not declare, such as an autoscaler's replicas, stay with
    whoever set them.
    """
    metadata = args.props.get("metadata")
    if not args.type_.startswith("kubernetes:") or not isinstance(
        metadata, k8s.meta.v1.ObjectMetaArgs
    ):
        return None
    given = metadata.annotations
    annotations = (
        {**(given or {}), **_FORCE}
        if given is None or isinstance(given, dict)
        else pulumi.Output.from_input(given).apply(lambda old: {**(old or {}), **_FORCE})
    )
    fields = {name: getattr(metadata, name) for name in ("name", "namespace", "labels")}
    owned = k8s.meta.v1.ObjectMetaArgs(**fields, annotations=annotations)
    return pulumi.ResourceTransformationResult({**args.props, "metadata": owned}, args.opts)
