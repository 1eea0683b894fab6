"""Bounds the time that deletions are awaited."""

import pulumi


def bound_deletion(
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    """Awaits the deletion of a Kubernetes object for one minute, where its component sets no time.

    The provider (seen in 4.18) can miss the deletion of an object that goes at once and then waits
    until its time is over, ten minutes by default, before it looks again and goes on.
    """
    if not args.type_.startswith("kubernetes:") or args.opts.custom_timeouts is not None:
        return None
    bounded = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="1m"))
    return pulumi.ResourceTransformationResult(
        props=args.props, opts=pulumi.ResourceOptions.merge(args.opts, bounded)
    )
