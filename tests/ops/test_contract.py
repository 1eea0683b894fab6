"""The output `operations`: what is read out of it, and what is said where it does not fit."""

import copy
from typing import Any

import pytest

from ops.contract import ExternalDatabase, InClusterDatabase, operations_in
from ops.failure import ExitCode, Failure

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
            "url": "http://frontend.todo-app.svc:3000",
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


def test_a_stack_with_its_database_in_the_cluster() -> None:
    operations = operations_in(outputs())
    assert [it.name for it in operations.services] == ["backend", "frontend", "database"]
    assert operations.services[0].port == 8000
    assert [it.is_inside_only for it in operations.services] == [False, True, False]
    assert isinstance(operations.database, InClusterDatabase)
    assert operations.database.backup is not None


def test_a_database_outside_the_cluster_has_an_address_alone() -> None:
    address = {"mode": "external", "user": "a", "host": "db", "port": 5432, "name": "todo"}
    assert isinstance(operations_in(outputs(database=address)).database, ExternalDatabase)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "is not deployed; run `make up`"),
        ({"namespace": "todo-app"}, "by an earlier version of the program"),
        (outputs(version=2), "output operations.version"),
        (outputs(more=1), "output operations.more"),
        (outputs(services=[{}]), "output operations.services.0.name"),
    ],
    ids=["nothing", "before", "after", "more", "less"],
)
def test_outputs_that_do_not_fit_are_said_in_a_sentence(found: dict[str, Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as failure:
        operations_in(found)
    assert failure.value.code == ExitCode.UNREACHABLE
    assert "run `make up`" in str(failure.value)
