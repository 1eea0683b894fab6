"""What every pod is told, whatever runs in it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from .restricted import pod_security, secret_references

core = k8s.core.v1


class PodArgs(Protocol):
    """Arguments of a component that say how its pods are pulled and where they run."""

    @property
    def pull_secrets(self) -> Sequence[str]:
        """Names of Secrets with the registry's credentials."""
        ...

    @property
    def node_selector(self) -> Mapping[str, str]:
        """Labels of the nodes that the pods may run on."""
        ...

    @property
    def tolerations(self) -> Sequence[core.TolerationArgs]:
        """Taints that they put up with."""
        ...

    @property
    def priority_class(self) -> str | None:
        """Name of a PriorityClass."""
        ...


def pod_spec(
    args: PodArgs,
    *,
    account: core.ServiceAccount,
    user: int,
    containers: Sequence[core.ContainerArgs],
) -> core.PodSpecArgs:
    """Returns a pod that satisfies *restricted* if its containers do; the caller adds the rest.

    Args:
        args: How it is pulled, and where it runs.
        account: Whom it runs as in the cluster.
        user: User and group ID that it runs as on the node.
        containers: What runs in it.
    """
    spec = plain_pod_spec(account=account, user=user, containers=containers)
    spec.image_pull_secrets = secret_references(args.pull_secrets)
    spec.node_selector = dict(args.node_selector) or None
    spec.tolerations = list(args.tolerations) or None
    spec.priority_class_name = args.priority_class
    return spec


def plain_pod_spec(
    *, account: core.ServiceAccount, user: int, containers: Sequence[core.ContainerArgs]
) -> core.PodSpecArgs:
    """Returns the same of a pod that runs anywhere, and whose images anybody may pull.

    Args:
        account: Whom it runs as in the cluster.
        user: User and group ID that it runs as on the node.
        containers: What runs in it.
    """
    return core.PodSpecArgs(
        service_account_name=object_name(account),
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(user, user),
        containers=list(containers),
    )
