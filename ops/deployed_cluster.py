"""Whether a kubeconfig's current context still leads to the cluster that a stack is deployed to."""

from cluster_objects.json_tree import Json, part
from console.failure import ExitCode, Failure
from ops.kube import Cluster
from ops.repair import REPAIR
from ops.stack import ManagedObject, Stack

_KINDS = ("Namespace", "Service", "Deployment")
"""Of which every stack has some, and which every cluster knows."""
_LOOKS = 5
"""Somebody may have deleted one of them."""


def require_deployed(stack: Stack, cluster: Cluster) -> None:
    """Checks that something of a stack is in a cluster, by the identity that it was given there.

    A stack that names no context goes with whatever is the current one, and names are the same in
    every cluster: of another one a stack of that name would be restored, or get another password.

    Args:
        stack: The stack.
        cluster: The cluster.

    Raises:
        Failure: All that was looked for is not there, or was made by something else.
    """
    known = [it for it in stack.objects() if it.kind in _KINDS and it.uid]
    for it in known[:_LOOKS]:
        if _uid(cluster, it) == it.uid:
            return
    if known:
        raise Failure(
            f"The kubeconfig's current context does not lead to the cluster that stack "
            f"{stack.pulumi.name} was deployed to; switch to that one (kubectl config use-context "
            "…), or set cluster.context in its settings; if it is the right one, what the stack "
            f"had there is gone: {REPAIR}; nothing was changed.",
            ExitCode.UNREACHABLE,
        )


def _uid(cluster: Cluster, it: ManagedObject) -> object:
    found: Json | None = cluster.find(
        it.kind, it.name, namespace=it.namespace, api_version=it.api_version
    )
    return part(found, "metadata").get("uid")
