"""The namespaces of a run, which are all that it makes in a cluster; it removes them at its end."""

from bench.commands import command

STACK = "todo-bench"
KUBECTL = "todo-bench-kubectl"
HELM = "todo-bench-helm"


def require_none() -> None:
    """Checks that what a run makes and removes is nobody else's.

    Raises:
        SystemExit: There is a namespace of such a name already.
    """
    asked = ("kubectl", "get", "namespace", STACK, KUBECTL, HELM, "--ignore-not-found")
    for found in command(*asked, "-o", "name").split():
        name = found.removeprefix("namespace/")
        raise SystemExit(
            f"There is a namespace {name} already, so nothing was done; if it is of a run that was "
            f"killed, remove it: kubectl delete namespace {name}"
        )


def delete_namespace(name: str) -> None:
    """Removes a namespace with all that is in it, if it is there.

    Its pods go first, and quickly: else the cluster waits for half of the longest grace that one of
    them has before it looks again (ResourcesRemainingError of Kubernetes' namespace controller).
    """
    deleting = ("kubectl", "--namespace", name, "delete", "--all")
    # Nothing that would make them anew may be left.
    command(*deleting, "deployments,replicasets,statefulsets,cronjobs,jobs", "--cascade=orphan")
    command(*deleting, "pods", "--grace-period=1")
    command("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait")
