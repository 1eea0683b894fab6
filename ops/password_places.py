"""Where the password of the application's role is kept for whoever needs it."""

from dataclasses import dataclass

from ops.contract import OperatorDatabase
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import mounted_secret

PASSWORD = "databasePassword"  # noqa: S105 - what the contract calls it


@dataclass(frozen=True, kw_only=True)
class Place:
    """A value of a Secret, and who reads it."""

    service: str
    secret: str
    key: str


def places(stack: Stack, cluster: Cluster) -> list[Place]:
    """Returns where the application's pods and the server read the password.

    Pods mount a Secret; an operator reads one that no pod mounts.
    """
    contract = stack.contract
    file = contract.secret(PASSWORD).file
    services = [*contract.readers(PASSWORD)]
    found: list[Place] = []
    if isinstance(contract.database, OperatorDatabase):
        read = contract.database.password_secret
        found.append(Place(service="database", secret=read.name, key=read.key))
    else:
        services += [it for it in contract.services if it.role == "database"]
    for it in services:
        workload = cluster.find(it.kind, it.workload)
        name = mounted_secret(workload) if workload else None
        if name:
            found.append(Place(service=it.name, secret=name, key=file))
    return found
