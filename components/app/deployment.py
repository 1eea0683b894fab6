"""The Deployment of an AppDeployment."""

from typing import assert_never

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.rollout_watch import RolloutWatch
from ..metadata.scope import ObjectScope
from ..values.scaling import Autoscaled, Fixed, Scaling
from .args import AppDeploymentArgs
from .scaling_handover import AUTOSCALED, IGNORED, ScalingHandover

core = k8s.core.v1
apps = k8s.apps.v1


def declare_deployment(
    scope: ObjectScope,
    args: AppDeploymentArgs,
    template: core.PodTemplateSpecArgs,
) -> apps.Deployment:
    """Declares the Deployment.

    Args:
        scope: Names and labels.
        args: How many pods, what they come after, and how long they may take to stop.
        template: The pod.
    """
    # Only when it is over `pulumi up` fails: one pod after the other is replaced, and the first
    # may have to wait for its image.
    time = f"{240 + 30 * args.scaling.most}s"
    own = pulumi.ResourceOptions(
        depends_on=list(args.pods_after),
        custom_timeouts=pulumi.CustomTimeouts(
            create=time, update=time, delete=f"{180 + args.pre_stop_seconds}s"
        ),
        hooks=_register_hooks(scope, args),
        ignore_changes=[IGNORED] if _is_autoscaled(args.scaling) else None,
    )
    spec = _spec(scope, args, template)
    return apps.Deployment(
        f"{scope.name}-deployment",
        metadata=scope.metadata(annotations=AUTOSCALED if _is_autoscaled(args.scaling) else None),
        spec=args.customize(spec) if args.customize else spec,
        opts=pulumi.ResourceOptions.merge(scope.opts, own),
    )


def _spec(
    scope: ObjectScope, args: AppDeploymentArgs, template: core.PodTemplateSpecArgs
) -> apps.DeploymentSpecArgs:
    return apps.DeploymentSpecArgs(
        replicas=_replicas(args.scaling),
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
        strategy=apps.DeploymentStrategyArgs(
            type="RollingUpdate",
            rolling_update=apps.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
        ),
        revision_history_limit=3,
        # Is what `kubectl rollout status` believes; `pulumi up` only warns of it.
        progress_deadline_seconds=180,
        template=template,
    )


def _replicas(scaling: Scaling) -> int | None:
    match scaling:
        case Fixed():
            return scaling.replicas
        case Autoscaled():
            return None  # The autoscaler owns the number.
        case _:
            assert_never(scaling)


def _is_autoscaled(scaling: Scaling) -> bool:
    return _replicas(scaling) is None


def _register_hooks(
    scope: ObjectScope, args: AppDeploymentArgs
) -> pulumi.ResourceHookBinding | None:
    if args.api is None:
        return None
    watch = pulumi.ResourceHook(f"pods of {scope.name}", RolloutWatch(args.api).hook)
    if _is_autoscaled(args.scaling):
        return pulumi.ResourceHookBinding(before_create=[watch], before_update=[watch])
    take_back = pulumi.ResourceHook(f"autoscaler of {scope.name}", ScalingHandover(args.api).hook)
    return pulumi.ResourceHookBinding(before_create=[watch], before_update=[take_back, watch])
