"""The pods in which PostgreSQL runs: one of a StatefulSet, or an operator's several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from cluster_objects.json_tree import part
from console.failure import ExitCode, Failure
from ops.contract import InClusterDatabase, OperatorDatabase
from ops.kube import Cluster
from ops.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Server:
    """One PostgreSQL server."""

    pod: str
    container: str
    superuser: str
    """The role that needs no password over the socket in the pod."""
    claim: str
    data_path: str
    """Where the claim is mounted."""


def primary(stack: Stack, cluster: Cluster) -> Server:
    """Returns the server that takes writes now.

    Raises:
        Failure: The database is outside the cluster, or no server takes writes now.
    """
    match found := stack.contract.required_server():
        case InClusterDatabase():
            return _single(found)
        case OperatorDatabase():
            live = cluster.find("Cluster", found.cluster)
            name = str(part(live, "status").get("currentPrimary") or "")
            if not name:
                raise Failure(
                    f"The database's Cluster {found.cluster} has no primary yet; see `python -m "
                    "ops validate`.",
                )
            return instance(found, name)
        case _:
            assert_never(found)


def instances(stack: Stack, cluster: Cluster) -> Sequence[Server]:
    """Returns all servers; nothing where the database is outside the cluster."""
    match found := stack.contract.server:
        case None:
            return []
        case InClusterDatabase():
            return [_single(found)]
        case OperatorDatabase():
            live = cluster.find("Cluster", found.cluster)
            names: list[str] = part(live, "status").get("instanceNames") or []
            return [instance(found, name) for name in sorted(names)]
        case _:
            assert_never(found)


def instance(database: OperatorDatabase, name: str) -> Server:
    """Returns one of an operator's servers: its pod and its claim have one name."""
    return Server(
        pod=name,
        container=database.container,
        superuser=database.superuser,
        claim=name,
        data_path=database.data_path,
    )


def stateful_set(stack: Stack, what: str) -> InClusterDatabase:
    """Returns the database where a StatefulSet runs it.

    Args:
        stack: The stack.
        what: What is asked for, which another database does not have; the sentence's begin.

    Raises:
        Failure: Something else runs it.
    """
    match found := stack.contract.required_server():
        case InClusterDatabase():
            return found
        case OperatorDatabase():
            raise Failure(f"{what}: an operator runs this stack's database.", ExitCode.USAGE)
        case _:
            assert_never(found)


def cluster_of_operator(stack: Stack, what: str) -> OperatorDatabase:
    """Returns the database where an operator runs it.

    Args:
        stack: The stack.
        what: What is asked for, the sentence's begin.

    Raises:
        Failure: Something else runs it.
    """
    found = stack.contract.required_server()
    if not isinstance(found, OperatorDatabase):
        raise Failure(f"{what} needs database.mode operator.", ExitCode.USAGE)
    return found


def _single(database: InClusterDatabase) -> Server:
    return Server(
        pod=database.pod,
        container=database.container,
        superuser=database.superuser,
        claim=database.claim,
        data_path=database.data_path,
    )
