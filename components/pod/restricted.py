"""Pieces of a pod that satisfies the Pod Security Standard *restricted*."""

from collections.abc import Mapping, Sequence

import pulumi_kubernetes as k8s

from ..values.resources import Resources
from .requirements import as_requirements

core = k8s.core.v1


def pod_security(user: int, group: int) -> core.PodSecurityContextArgs:
    """Returns a pod security context with numeric IDs, which the kubelet can check."""
    return core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=group,
        fs_group=group,
        # Skips walking a volume whose root already has the right owner: restarts stay fast.
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )


def preferred_nodes(labels: Mapping[str, str]) -> core.AffinityArgs | None:
    """Returns an affinity to nodes with these labels, as long as they have room; none without."""
    if not labels:
        return None
    expressions = [
        core.NodeSelectorRequirementArgs(key=key, operator="In", values=[value])
        for key, value in labels.items()
    ]
    term = core.PreferredSchedulingTermArgs(
        weight=100, preference=core.NodeSelectorTermArgs(match_expressions=expressions)
    )
    return core.AffinityArgs(
        node_affinity=core.NodeAffinityArgs(
            preferred_during_scheduling_ignored_during_execution=[term]
        )
    )


def container_security() -> core.SecurityContextArgs:
    """Returns a container security context without privileges and with a read-only root."""
    return core.SecurityContextArgs(
        allow_privilege_escalation=False,
        privileged=False,
        read_only_root_filesystem=True,
        run_as_non_root=True,
        capabilities=core.CapabilitiesArgs(drop=["ALL"]),
    )


def container_resources(resources: Resources) -> core.ResourceRequirementsArgs:
    """Returns the requests and limits of a container."""
    found = as_requirements(resources)
    return core.ResourceRequirementsArgs(requests=found["requests"], limits=found["limits"])


def secret_references(names: Sequence[str]) -> list[core.LocalObjectReferenceArgs] | None:
    """Returns the references to the Secrets with which the kubelet pulls a pod's images."""
    return [core.LocalObjectReferenceArgs(name=name) for name in names] or None


def scratch_volume(name: str, size: str, *, in_memory: bool = False) -> core.VolumeArgs:
    """Returns an emptyDir, bounded so that it cannot fill the node."""
    return core.VolumeArgs(
        name=name,
        empty_dir=core.EmptyDirVolumeSourceArgs(
            size_limit=size, medium="Memory" if in_memory else None
        ),
    )
