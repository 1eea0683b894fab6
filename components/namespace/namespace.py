"""The namespace: what pods in it may be, and how much they may use together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.patching import PATCH_FORCED
from ..metadata.scope import ObjectScope
from ..values.quantities import quantity_value
from ..values.resources import Resources

core = k8s.core.v1


@dataclass(frozen=True, kw_only=True)
class PodDemand:
    """Pods of one size that may exist at once."""

    resources: Resources
    """Of all containers of one pod together."""
    pods: int
    """How many of them."""


def declare_namespace(
    name: str,
    object_name: str,
    labels: Mapping[str, str],
    *,
    opts: pulumi.ResourceOptions,
    level: Literal["restricted", "baseline", "privileged"] = "restricted",
) -> core.Namespace:
    """Declares a namespace that enforces a Pod Security Standard.

    Pulumi never deletes it: with it would go the claims with the data, and whatever else people
    have put in it.

    Args:
        name: Pulumi name prefix.
        object_name: Name of the namespace.
        labels: Labels of the namespace.
        opts: Resource options.
        level: What pods in it may be.
    """
    levels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
    return core.Namespace(
        f"{name}-namespace",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=object_name,
            labels={**labels, **levels},
            # It may be there already, kept by an earlier `pulumi destroy`.
            annotations=dict(PATCH_FORCED),
        ),
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                retain_on_delete=True, custom_timeouts=pulumi.CustomTimeouts(delete="5m")
            ),
        ),
    )


def hard_limits(demands: Sequence[PodDemand]) -> dict[str, str]:
    """Returns the hard limits of a ResourceQuota that just fits the given pods.

    CPU in millicores, memory and ephemeral storage in mebibytes, rounded up.
    """
    totals: dict[str, Decimal] = {}
    for demand in demands:
        for resource in ("cpu", "memory", "ephemeral_storage"):
            for kind in ("request", "limit"):
                key = f"{kind}s.{resource.replace('_', '-')}"
                amount = quantity_value(getattr(demand.resources, f"{resource}_{kind}"))
                totals[key] = totals.get(key, Decimal(0)) + amount * demand.pods
    hard = {
        key: f"{ceil(total * 1000)}m" if key.endswith(".cpu") else f"{ceil(total / 1024**2)}Mi"
        for key, total in totals.items()
    }
    return {**hard, "pods": str(sum(demand.pods for demand in demands))}


def declare_quota(scope: ObjectScope, hard: Mapping[str, str]) -> core.ResourceQuota:
    """Declares a ResourceQuota with these hard limits, for all that is in the namespace."""
    return core.ResourceQuota(
        f"{scope.name}-quota",
        metadata=scope.metadata(),
        spec=core.ResourceQuotaSpecArgs(hard=dict(hard)),
        opts=scope.opts,
    )


def declare_default_sizes(scope: ObjectScope) -> core.LimitRange:
    """Declares a LimitRange, with sizes for containers that name none."""
    return core.LimitRange(
        f"{scope.name}-limits",
        metadata=scope.metadata(),
        spec=core.LimitRangeSpecArgs(
            limits=[
                core.LimitRangeItemArgs(
                    type="Container",
                    default_request={"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "64Mi"},
                    default={"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "256Mi"},
                )
            ]
        ),
        opts=scope.opts,
    )
