"""The output `operations`: all that `ops/` needs to know of a stack, so that it knows no program.

`ops/contract.py` reads it, and refuses what it does not know. Whatever changes the meaning of a
field, or takes one away, is another version; both files say which.
"""

from collections.abc import Sequence
from typing import Any, assert_never

from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.pod.probes import HttpProbe, Probe
from components.postgres.backup_job import CONTAINER as BACKUP_CONTAINER
from components.postgres.pod import COMPONENT, CONTAINER, DATA_PATH
from components.postgres.roles import SUPERUSER
from components.todo.deployed import (
    Deployed,
    DeployedPostgres,
    DeployedService,
    NotDeployed,
    postgres_in,
)
from components.todo.outputs import url_of
from components.todo.secret_table import DATABASE_PASSWORD, SECRETS, SecretDescription
from components.todo.secrets import PATH
from components.todo.service import ServiceDescription
from components.todo.services import backend
from components.todo.services.database import NAME as DATABASE
from components.todo.services.database import database
from components.todo.settings.secrets import are_generated
from components.todo.settings.settings import Settings

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
                    "image": it.image,
                    "paths": _paths(service),
                    "metricsPort": (service.metrics_port or service.port)
                    if service.metrics_path
                    else None,
                    "localPort": service.local_port,
                    "writesToDatabase": DATABASE in service.reaches,
                }
            ]
        case DeployedPostgres(service=service):
            return [
                {
                    "name": service.name,
                    "role": service.name,
                    "kind": "StatefulSet",
                    "workload": object_name(it.server.stateful_set),
                    "component": COMPONENT,
                    "container": CONTAINER,
                    "service": service.object_name,
                    "port": service.port,
                    "url": None,
                    "image": it.image,
                    "paths": None,
                    "metricsPort": None,
                    "localPort": service.local_port,
                    "writesToDatabase": False,
                }
            ]
        case NotDeployed():
            return []
        case _:
            assert_never(it)


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
    postgres = postgres_in(deployed)
    if postgres is None:
        return address
    server, schedule = postgres.server, postgres.service.settings.backup
    return {
        **address,
        "superuser": SUPERUSER,
        "service": object_name(server.service),
        "pod": object_name(server.stateful_set).apply(lambda name: f"{name}-0"),
        "container": CONTAINER,
        "claim": server.claim_name,
        "dataPath": DATA_PATH,
        "backup": {
            "cronJob": object_name(server.backup.cron_job),
            "claim": object_name(server.backup.claim),
            "container": BACKUP_CONTAINER,
            "schedule": schedule.schedule,
        }
        if server.backup and schedule
        else None,
    }


def _secret(
    secret: SecretDescription, settings: Settings, deployed: Sequence[Deployed]
) -> list[dict[str, Any]]:
    """Returns an entry for each service that reads a secret."""
    readers = [
        it for it in deployed if isinstance(it, DeployedService) and secret in it.service.secrets
    ]
    postgres = postgres_in(deployed)
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
