"""The HorizontalPodAutoscaler of an AppDeployment."""

from typing import assert_never

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..values.scaling import Autoscaled, Fixed, Scaling

auto = k8s.autoscaling.v2


def declare_autoscaler(scope: ObjectScope, scaling: Scaling) -> auto.HorizontalPodAutoscaler | None:
    """Declares what changes the number of pods with their load, unless the number is fixed."""
    match scaling:
        case Fixed():
            return None
        case Autoscaled():
            return auto.HorizontalPodAutoscaler(
                f"{scope.name}-autoscaler",
                metadata=scope.metadata(),
                spec=_spec(scope, scaling),
                opts=scope.opts,
            )
        case _:
            assert_never(scaling)


def _spec(scope: ObjectScope, scaling: Autoscaled) -> auto.HorizontalPodAutoscalerSpecArgs:
    target = auto.MetricTargetArgs(type="Utilization", average_utilization=scaling.cpu_percent)
    return auto.HorizontalPodAutoscalerSpecArgs(
        scale_target_ref=auto.CrossVersionObjectReferenceArgs(
            api_version="apps/v1", kind="Deployment", name=scope.object_name
        ),
        min_replicas=scaling.min_replicas,
        max_replicas=scaling.max_replicas,
        behavior=auto.HorizontalPodAutoscalerBehaviorArgs(
            scale_down=auto.HPAScalingRulesArgs(
                stabilization_window_seconds=scaling.scale_down_seconds
            )
        ),
        metrics=[
            auto.MetricSpecArgs(
                type="Resource",
                resource=auto.ResourceMetricSourceArgs(name="cpu", target=target),
            )
        ],
    )
