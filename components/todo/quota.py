"""The quota of the namespace of a TodoStack."""

from collections.abc import Sequence
from typing import assert_never

from components.namespace.namespace import PodDemand, hard_limits
from components.todo.service import (
    AnyService,
    ExternalService,
    PostgresClusterService,
    PostgresService,
    ServiceDescription,
)
from components.todo.settings.database import BackupSettings, S3Destination
from components.values.postgres.sizes import (
    BACKUP_RESOURCES,
    EXPORTER_RESOURCES,
    drill_resources,
    staged_backup_resources,
)
from components.values.resources import Resources


def quota_of(services: Sequence[AnyService]) -> dict[str, str]:
    """Returns a quota for the largest the services may get, five pods of a kind or more."""
    return {
        **hard_limits([demand for service in services for demand in _demands(service)]),
        "persistentvolumeclaims": str(sum(_claims(service) for service in services)),
        "services.loadbalancers": "0",
    }


def _claims(service: AnyService) -> int:
    match service:
        case ServiceDescription():
            return 0
        case PostgresService() | ExternalService():
            # Of the data and the backups; and as many, to restore into or to enlarge by hand.
            return 4
        case PostgresClusterService():
            # Of each instance; one that is made anew before the old one goes, and one of a cluster
            # that is recovered beside it. And two of a StatefulSet that it came from.
            return service.settings.instances + 4
        case _:
            assert_never(service)


def _demands(service: AnyService) -> list[PodDemand]:
    match service:
        case ServiceDescription():
            # One more while rolling, and those that it takes the place of count until they ended.
            pods = max(2 * service.scaling.most, 5) + 1
            return [PodDemand(resources=service.resources, pods=pods)]
        case PostgresService():
            backup, size = service.settings.backup, service.settings.storage.size
            # Scheduled, and one that somebody begins by hand meanwhile.
            drills = PodDemand(resources=drill_resources(size, _staged(backup)), pods=2)
            exporters = PodDemand(resources=EXPORTER_RESOURCES, pods=3)
            # A pod that terminates still counts. Backups: scheduled, one by hand, a restore drill.
            return [
                PodDemand(resources=service.settings.resources, pods=2),
                PodDemand(resources=_backup_resources(backup), pods=3),
                *([drills] if backup and backup.drill else []),
                *([exporters] if service.settings.exporter else []),
            ]
        case PostgresClusterService():
            # One that ends, one of a cluster that is recovered beside it, and the job of each.
            pods = service.settings.instances + 4
            backup, size = service.settings.backup, service.settings.storage.size
            drills = PodDemand(resources=drill_resources(size), pods=2)
            return [
                PodDemand(resources=service.settings.resources, pods=pods),
                *([drills] if backup and backup.drill else []),
            ]
        case ExternalService():
            return []
        case _:
            assert_never(service)


def _staged(backup: BackupSettings | None) -> str:
    match backup:
        case BackupSettings(destination=S3Destination(), storage=storage):
            return storage.size
        case BackupSettings() | None:
            return "0"
        case _:
            assert_never(backup)


def _backup_resources(backup: BackupSettings | None) -> Resources:
    match backup:
        case BackupSettings(destination=S3Destination(), storage=storage):
            return staged_backup_resources(storage.size)
        case BackupSettings() | None:
            return BACKUP_RESOURCES
        case _:
            assert_never(backup)
