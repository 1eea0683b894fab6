"""The output `operations`: all that `ops/` needs to know of a stack, so that it knows no program.

`ops/contract.py` reads it, and refuses what it does not know. Whatever changes the meaning of a
field, or takes one away, is another version; both files say which.
"""

from collections.abc import Sequence
from typing import Any, assert_never

from cluster_objects.database_move import CONFIG_KEY
from cluster_objects.stack_mark import ANNOTATION_PREFIX
from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.pod.probes import HttpProbe, Probe
from components.postgres.backup_job import CONTAINER as BACKUP_CONTAINER
from components.postgres.backup_job import BackupResources
from components.postgres.drill_container import CONTAINER as DRILL_CONTAINER
from components.postgres.drill_job import DrillResources
from components.postgres.pod import COMPONENT, CONTAINER, DATA_PATH
from components.postgres.roles import SUPERUSER
from components.postgres.store_container import CONTAINER as STORE_CONTAINER
from components.postgres.volume import claim_name
from components.postgres_cluster.cluster import CONTAINER as CLUSTER_CONTAINER
from components.postgres_cluster.cluster import KIND as CLUSTER_KIND
from components.postgres_cluster.credentials import PASSWORD_KEY
from components.todo.deployed import (
    Deployed,
    DeployedPostgres,
    DeployedPostgresCluster,
    DeployedService,
    NotDeployed,
    database_in,
)
from components.todo.images import image_setting
from components.todo.moving import move_targets
from components.todo.outputs import url_of
from components.todo.secret_table import DATABASE_PASSWORD, SECRETS, SecretDescription
from components.todo.secrets import PATH
from components.todo.service import BuiltImage, ImageOf, PublishedImage, ServiceDescription
from components.todo.services import backend
from components.todo.services.database import CLUSTER, database
from components.todo.services.database import NAME as DATABASE
from components.todo.settings.database import (
    INPUT_NAMES,
    BackupSettings,
    S3Destination,
    VolumeDestination,
)
from components.todo.settings.images import signature
from components.todo.settings.secrets import are_generated
from components.todo.settings.settings import Settings
from components.values.exposure import authority

VERSION = 1


def operations(
    settings: Settings, scope: ObjectScope, deployed: Sequence[Deployed]
) -> dict[str, Any]:
    """Returns the output.

    Args:
        settings: The stack's settings.
        scope: Where everything is, and its label app.kubernetes.io/instance.
        deployed: The services.
    """
    return {
        "version": VERSION,
        "instance": scope.instance,
        "namespace": scope.namespace,
        "kubeContext": settings.cluster.context,
        "kubeconfig": settings.cluster.kubeconfig,
        "services": [entry for it in deployed for entry in _service(it, settings)],
        "database": _database(settings, deployed),
        "secrets": [entry for it in SECRETS for entry in _secret(it, settings, deployed)],
        "move": {
            "configKey": CONFIG_KEY,
            "targets": dict(move_targets(CLUSTER)),
            "cluster": CLUSTER,
        },
        "session": {"minutesCommand": list(backend.SESSION_MINUTES)},
    }


def _service(it: Deployed, settings: Settings) -> list[dict[str, Any]]:
    """Returns an entry for what runs in the cluster."""
    match it:
        case DeployedService(service=service):
            return [
                {
                    "name": service.name,
                    "role": service.name,
                    "kind": "Deployment",
                    "workload": it.workload,
                    "component": service.name,
                    "container": service.object_name,
                    "service": service.object_name if service.port else None,
                    "port": service.port,
                    "url": url_of(service, settings),
                    "authority": _authority(service),
                    "image": it.image,
                    **_signature(service, settings),
                    "imageSetting": image_setting(settings.images, service.name)
                    if isinstance(service.image, BuiltImage)
                    else None,
                    "imageBuild": it.build.urn if it.build else None,
                    "paths": _paths(service),
                    "metricsPort": (service.metrics_port or service.port)
                    if service.metrics_path
                    else None,
                    "localPort": service.local_port,
                    "writesToDatabase": DATABASE in service.reaches,
                }
            ]
        case DeployedPostgres():
            return [
                {
                    **_server(it),
                    "kind": "StatefulSet",
                    "workload": object_name(it.server.stateful_set),
                    "container": CONTAINER,
                    "service": it.service.object_name,
                }
            ]
        case DeployedPostgresCluster():
            return [
                {
                    **_server(it),
                    "kind": CLUSTER_KIND,
                    "workload": it.server.cluster_name,
                    "container": CLUSTER_CONTAINER,
                    "service": it.server.host,
                }
            ]
        case NotDeployed():
            return []
        case _:
            assert_never(it)


def _server(it: DeployedPostgres | DeployedPostgresCluster) -> dict[str, Any]:
    """Returns what an entry says of a database, whoever runs its servers."""
    return {
        "name": it.service.name,
        "role": it.service.name,
        "component": COMPONENT,
        "port": it.service.port,
        "url": None,
        "image": it.image,
        "paths": None,
        "metricsPort": None,
        "localPort": it.service.local_port,
        "writesToDatabase": False,
    }


def _authority(service: ServiceDescription) -> dict[str, str] | None:
    found = authority(service.exposure)
    return None if found is None else {"namespace": found[0], "configMap": found[1]}


def _signature(service: ServiceDescription, settings: Settings) -> dict[str, Any]:
    """Returns what the images of a service's pods have to have, where they are the stack's own."""
    wanted = signature(settings.images)
    match service.image:
        case BuiltImage() | ImageOf():
            return {"signature": wanted.model_dump(by_alias=True)} if wanted else {}
        case PublishedImage():
            return {}
        case _:
            assert_never(service.image)


def _paths(service: ServiceDescription) -> dict[str, str | None] | None:
    if not service.speaks_http:
        return None
    return {
        "liveness": _path(service.liveness),
        "readiness": _path(service.readiness),
        "metrics": service.metrics_path,
    }


def _path(probe: Probe) -> str | None:
    return probe.path if isinstance(probe, HttpProbe) else None


def _database(settings: Settings, deployed: Sequence[Deployed]) -> dict[str, Any]:
    where = database(settings)
    address = {
        "mode": settings.database.mode,
        "user": settings.database.user,
        "host": where.host,
        "port": where.port,
        "name": settings.database.name,
    }
    it = database_in(deployed)
    match it:
        case None:
            return address
        case DeployedPostgres():
            return {**address, **_stateful_set(it, settings.namespace.name)}
        case DeployedPostgresCluster():
            return {**address, **_cluster(it)}
        case _:
            assert_never(it)


def _stateful_set(it: DeployedPostgres, namespace: str) -> dict[str, Any]:
    server, schedule = it.server, it.service.settings.backup
    return {
        "superuser": SUPERUSER,
        "service": object_name(server.service),
        "pod": object_name(server.stateful_set).apply(lambda name: f"{name}-0"),
        "container": CONTAINER,
        "claim": server.claim_name,
        "dataPath": DATA_PATH,
        "backup": {
            "cronJob": object_name(server.backup.cron_job),
            **_backup_place(server.backup, schedule, namespace),
            "container": BACKUP_CONTAINER,
            "schedule": schedule.schedule,
            **_drill(server.drill),
        }
        if server.backup and schedule
        else None,
        "upgrade": _upgrade(it),
    }


def _upgrade(postgres: DeployedPostgres) -> dict[str, Any]:
    """Returns what it takes to bring the data to the server's next volume."""
    server, volume = postgres.server, postgres.service.settings.volume
    jobs = [it.cron_job for it in (server.backup, server.drill) if it]
    return {
        "volume": volume,
        "configKey": INPUT_NAMES.volume,
        "imageKey": INPUT_NAMES.image,
        "claims": [claim_name(it + 1, postgres.service.object_name) for it in range(volume + 1)],
        "note": f"{ANNOTATION_PREFIX}/data",
        "targets": [it.urn for it in (server.stateful_set, *jobs)],
    }


def _drill(drill: DrillResources | None) -> dict[str, Any]:
    """Returns what there is to say of a drill; nothing where nobody has asked for one."""
    if drill is None:
        return {}
    return {"drill": {"cronJob": object_name(drill.cron_job), "container": DRILL_CONTAINER}}


def _backup_place(
    declared: BackupResources, settings: BackupSettings, namespace: str
) -> dict[str, Any]:
    match settings.destination:
        case VolumeDestination():
            return {"claim": object_name(declared.claim) if declared.claim else None}
        case S3Destination() as it:
            store = {"container": STORE_CONTAINER, "owner": namespace, "address": it.shown}
            return {"claim": None, "store": store}
        case _:
            assert_never(settings.destination)


def _cluster(it: DeployedPostgresCluster) -> dict[str, Any]:
    server, backup = it.server, it.service.settings.backup
    return {
        "superuser": SUPERUSER,
        "cluster": server.cluster_name,
        "container": CLUSTER_CONTAINER,
        "dataPath": DATA_PATH,
        "passwordSecret": {"name": server.secret_name, "key": PASSWORD_KEY},
        "backup": {
            "scheduledBackup": server.schedule_name,
            "schedule": backup.schedule,
            **_drill(server.drill),
        }
        if server.schedule_name and backup
        else None,
    }


def _secret(
    secret: SecretDescription, settings: Settings, deployed: Sequence[Deployed]
) -> list[dict[str, Any]]:
    """Returns an entry for each service that reads a secret."""
    readers = [
        it for it in deployed if isinstance(it, DeployedService) and secret in it.service.secrets
    ]
    postgres = database_in(deployed)
    touched = [resource for it in readers for resource in (it.app.secret, it.app.deployment)]
    if postgres and secret == DATABASE_PASSWORD:
        touched.append(postgres.server.secret)
    generated = are_generated(settings.secrets)
    return [
        {
            "name": secret.name,
            "file": secret.file,
            "configKey": secret.config_key,
            "service": it.service.name,
            "mountPath": PATH,
            "generated": generated,
            "targets": [resource.urn for resource in touched if resource and generated],
        }
        for it in readers
    ]
