"""Who may connect to whom, from what the services say."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from components.metadata.labels import selector
from components.network.policies import Peer, addresses
from components.todo.service import (
    Addresses,
    AnyService,
    ExternalService,
    PostgresClusterService,
    PostgresService,
    ServiceDescription,
)


def clients(
    services: Sequence[AnyService],
    service: ServiceDescription | PostgresService | PostgresClusterService,
    instance: str,
) -> list[Mapping[str, str]]:
    """Returns the labels of the pods that may connect to a service."""
    return [
        selector(other.object_name, instance)
        for other in services
        if isinstance(other, ServiceDescription) and service.name in other.reaches
    ]


def destinations(
    services: Sequence[AnyService], service: ServiceDescription, instance: str
) -> list[tuple[Peer, int]]:
    """Returns whom a service's pods may connect to, each on one port.

    Raises:
        ValueError: There is no such service, or it has no port.
    """
    named = {other.name: other for other in services}
    found: list[tuple[Peer, int]] = []
    for reached in service.reaches:
        to = named.get(reached) if isinstance(reached, str) else reached
        if to is None or to.port is None:
            raise ValueError(f"{service.name} reaches {reached}, which has no port or is not there")
        found.append((_peer(to, instance), to.port))
    return found


def _peer(to: AnyService | Addresses, instance: str) -> Peer:
    match to:
        case ServiceDescription() | PostgresService() | PostgresClusterService():
            return selector(to.object_name, instance)
        case ExternalService() | Addresses():
            return addresses(to.cidr)
        case _:
            assert_never(to)
