"""A stack as the cluster's and Pulumi's stand-ins have it, with the outputs of a real one."""

import copy
from typing import Any

from ops.contract import operations_in
from ops.stack import Stack

EXAMPLE: dict[str, Any] = {
    "version": 1,
    "instance": "todo",
    "namespace": "todo-app",
    "kubeContext": None,
    "kubeconfig": None,
    "services": [
        {
            "name": "backend",
            "role": "backend",
            "kind": "Deployment",
            "workload": "backend",
            "component": "backend",
            "container": "backend",
            "service": "backend",
            "port": 8000.0,
            "url": "http://10.0.0.2:30001",
            "image": "localhost/todo/backend:1",
            "paths": {"liveness": "/health", "readiness": "/ready", "metrics": "/metrics"},
            "metricsPort": 9000,
            "localPort": 8000,
            "writesToDatabase": True,
        },
        {
            "name": "frontend",
            "role": "frontend",
            "kind": "Deployment",
            "workload": "frontend",
            "component": "frontend",
            "container": "frontend",
            "service": "frontend",
            "port": 3000,
            "url": "http://todo.test",
            "image": "localhost/todo/frontend:1",
            "paths": {"liveness": "/api/health", "readiness": "/api/ready", "metrics": None},
            "metricsPort": None,
            "localPort": 3000,
            "writesToDatabase": False,
        },
        {
            "name": "database",
            "role": "database",
            "kind": "StatefulSet",
            "workload": "postgres",
            "component": "database",
            "container": "postgres",
            "service": "postgres",
            "port": 5432,
            "url": None,
            "image": "docker.io/library/postgres:17",
            "paths": None,
            "metricsPort": None,
            "localPort": 5432,
            "writesToDatabase": False,
        },
    ],
    "database": {
        "mode": "inCluster",
        "user": "app",
        "host": "postgres",
        "port": 5432,
        "name": "todo",
        "superuser": "postgres",
        "service": "postgres",
        "pod": "postgres-0",
        "container": "postgres",
        "claim": "data-postgres-0",
        "dataPath": "/var/lib/postgresql/data",
        "backup": {
            "cronJob": "postgres-backup",
            "claim": "postgres-backup",
            "container": "backup",
            "schedule": "17 3 * * *",
        },
    },
    "secrets": [
        {
            "name": name,
            "file": file,
            "configKey": f"todo:{name}",
            "service": "backend",
            "mountPath": "/run/secrets/todo",
            "generated": True,
            "targets": ["urn:pulumi:minikube::todo::kubernetes:core/v1:Secret::backend-secrets"],
        }
        for name, file in (
            ("databasePassword", "database-password"),
            ("jwtKey", "jwt-key"),
            ("jwtNextKey", "jwt-next-key"),
            ("jwtPreviousKey", "jwt-previous-key"),
        )
    ],
    "session": {"minutesCommand": ["python", "-m", "todo_backend.session_minutes"]},
}


def outputs(**changes: Any) -> dict[str, Any]:
    """Returns a stack's outputs with another value for some keys of `operations`."""
    return {"namespace": "todo-app", "operations": copy.deepcopy(EXAMPLE) | changes}


def deployed(**changes: Any) -> Stack:
    """Returns a stack with another value for some keys of `operations`; Pulumi is never asked."""
    stack = Stack.__new__(Stack)
    vars(stack)["contract"] = operations_in(outputs(**changes))
    return stack


def with_database(**changes: Any) -> Stack:
    """Returns a stack with another value for some keys of its database."""
    return deployed(database=EXAMPLE["database"] | changes)


def with_database_outside() -> Stack:
    """Returns a stack whose database is not in the cluster."""
    services = [it for it in EXAMPLE["services"] if it["role"] != "database"]
    address = {"mode": "external", "user": "app", "host": "db", "port": 5432, "name": "todo"}
    return deployed(services=services, database=address)
