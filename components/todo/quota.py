"""The quota of the namespace of a TodoStack."""

from collections.abc import Sequence
from typing import assert_never

from components.namespace.namespace import PodDemand, hard_limits
from components.todo.service import AnyService, ExternalService, PostgresService, ServiceDescription
from components.values.postgres.sizes import BACKUP_RESOURCES


def quota_of(services: Sequence[AnyService]) -> dict[str, str]:
    """Returns a quota for the largest the services may get, five pods of a kind or more."""
    return {
        **hard_limits([demand for service in services for demand in _demands(service)]),
        # Of the database and its backups; and as many, to restore into or to enlarge by hand.
        "persistentvolumeclaims": "4",
        "services.loadbalancers": "0",
    }


def _demands(service: AnyService) -> list[PodDemand]:
    match service:
        case ServiceDescription():
            # One more while rolling, and those that it takes the place of count until they ended.
            pods = max(2 * service.scaling.most, 5) + 1
            return [PodDemand(resources=service.resources, pods=pods)]
        case PostgresService():
            # A pod that terminates still counts. Backups: scheduled, one by hand, a restore drill.
            return [
                PodDemand(resources=service.settings.resources, pods=2),
                PodDemand(resources=BACKUP_RESOURCES, pods=3),
            ]
        case ExternalService():
            return []
        case _:
            assert_never(service)
