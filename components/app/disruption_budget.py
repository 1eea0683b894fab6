"""The PodDisruptionBudget of an AppDeployment."""

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope

policy = k8s.policy.v1


def declare_disruption_budget(scope: ObjectScope) -> policy.PodDisruptionBudget:
    """Declares that nodes are drained of one pod at a time."""
    return policy.PodDisruptionBudget(
        f"{scope.name}-budget",
        metadata=scope.metadata(),
        spec=policy.PodDisruptionBudgetSpecArgs(
            max_unavailable=1,
            # A pod that crashes anyway must not keep a node from being drained.
            unhealthy_pod_eviction_policy="AlwaysAllow",
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
        ),
        opts=scope.opts,
    )
