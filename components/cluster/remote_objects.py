"""Treats the objects that a provider declares, such as a Helm chart's, as a program's own."""

from typing import cast

import pulumi


def as_transforms(opts: pulumi.ResourceOptions | None) -> list[pulumi.ResourceTransform]:
    """Returns transforms that do what `managed`'s transformations do.

    Pulumi runs transformations in the program alone, where the children of a component that a
    provider brings (`kubernetes.helm.v4.Chart`) are never seen; transforms get to see them. They
    are given values that were serialized, and lose those that a preview does not know yet: so the
    arguments of such a component have to be known.

    Args:
        opts: The options of `managed`, as the component that declares the chart was given them.
    """
    return [_as_transform(it) for it in (opts and opts.transformations) or ()]


def _as_transform(transformation: pulumi.ResourceTransformation) -> pulumi.ResourceTransform:
    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        # Both kinds of arguments have type_, props and opts; no resource is there yet, and none of
        # `managed`'s looks at it.
        result = transformation(cast("pulumi.ResourceTransformationArgs", args))
        return result and pulumi.ResourceTransformResult(props=dict(result.props), opts=result.opts)

    return transform
