"""A CloudNativePG Cluster as the API server has it, and a stack on it."""

import copy
from typing import Any

from ops.stack import Stack
from tests.ops import stacks

LIVE: dict[str, Any] = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Cluster",
    "metadata": {"name": "postgres", "labels": {"app.kubernetes.io/component": "database"}},
    "spec": {
        "instances": 3,
        "imageName": "registry.example.org/postgresql:17.2",
        "inheritedMetadata": {"labels": {"app.kubernetes.io/component": "database"}},
        "storage": {"size": "1Gi"},
        "bootstrap": {"initdb": {"database": "todo"}},
        "postgresql": {
            "parameters": {"max_connections": "100"},
            "synchronous": {"method": "any", "number": 1},
        },
        "backup": {
            "barmanObjectStore": {
                "destinationPath": "s3://backups/todo/wal",
                "endpointURL": "https://store.example.org",
            }
        },
    },
    "status": {
        "currentPrimary": "postgres-2",
        "instanceNames": ["postgres-1", "postgres-2", "postgres-3"],
        "instancesStatus": {"healthy": ["postgres-1", "postgres-2", "postgres-3"]},
        "readyInstances": 3,
        "firstRecoverabilityPoint": "2026-01-31T09:00:00Z",
        "conditions": [{"type": "ContinuousArchiving", "status": "True"}],
    },
}
DATABASE: dict[str, Any] = {
    "mode": "operator",
    "user": "app",
    "host": "postgres-rw",
    "port": 5432,
    "name": "todo",
    "superuser": "postgres",
    "cluster": "postgres",
    "container": "postgres",
    "dataPath": "/var/lib/postgresql/data",
    "passwordSecret": {"name": "postgres-credentials", "key": "password"},
    "backup": {"scheduledBackup": "postgres-backup", "schedule": "17 3 * * *"},
}


def live(**status: Any) -> dict[str, Any]:
    """Returns the Cluster with another value for some keys of its status."""
    found = copy.deepcopy(LIVE)
    found["status"] |= status
    return found


def with_operator(**changes: Any) -> Stack:
    """Returns a stack whose database an operator runs, with another value for some keys of it."""
    services = copy.deepcopy(stacks.EXAMPLE["services"])
    services[2] |= {"kind": "Cluster", "workload": "postgres", "service": "postgres-rw"}
    return stacks.deployed(services=services, database=DATABASE | changes)
